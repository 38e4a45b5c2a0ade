//! TLS for backends, and the certificate that backends and fixtures share.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::Socket;

/// A fatal alert `unrecognized_name` (RFC 6066, 3): what servers send that know no host of the name asked for.
const UNRECOGNIZED_NAME: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 112];

/// Self-signed, for `localhost` and `app.example.test`.
pub struct Certificate {
    pub cert_pem: String,
    pub key_pem: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// # Errors
    /// What the makers of keys and certificates say.
    pub fn make() -> Result<Self, String> {
        let names = vec!["localhost".to_owned(), "app.example.test".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).map_err(|e| e.to_string())?;
        let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|e| e.to_string())?;
        Ok(Self { cert_pem: made.cert.pem(), key_pem: made.signing_key.serialize_pem(), config: Arc::new(config) })
    }
}

pub struct Acceptor {
    config: Arc<ServerConfig>,
    name: Option<String>,
}

impl Acceptor {
    /// `name`: the only server name served; without it, every one and none.
    pub fn new(certificate: &Certificate, name: Option<String>) -> Self {
        Self { config: Arc::clone(&certificate.config), name }
    }

    /// # Errors
    /// When the handshake fails.
    pub fn accept(&self, mut socket: Socket) -> io::Result<Channel> {
        let mut acceptor = rustls::server::Acceptor::default();
        let accepted = loop {
            if acceptor.read_tls(&mut socket)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match acceptor.accept() {
                Ok(Some(accepted)) => break accepted,
                Ok(None) => {}
                Err((error, mut alert)) => {
                    alert.write_all(&mut socket)?;
                    return Err(io::Error::other(error));
                }
            }
        };
        if self.name.is_some() && accepted.client_hello().server_name() != self.name.as_deref() {
            socket.write_all(&UNRECOGNIZED_NAME)?;
            return Err(io::Error::other("another server name was asked for"));
        }
        let connection = accepted.into_connection(Arc::clone(&self.config)).map_err(|(error, mut alert)| {
            // The proxy is told; if it has gone, there is nobody to tell.
            let _ = alert.write_all(&mut socket);
            io::Error::other(error)
        })?;
        Ok(Channel::Tls(Box::new(StreamOwned::new(connection, socket))))
    }
}

/// A connection, with TLS or without.
pub enum Channel {
    Plain(Socket),
    Tls(Box<StreamOwned<ServerConnection, Socket>>),
}

impl Channel {
    pub fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &stream.sock,
        }
    }

    /// Ends the connection as its protocol wants.
    ///
    /// # Errors
    /// When the other side has gone already.
    pub fn finish(&mut self) -> io::Result<()> {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        Ok(())
    }
}

impl Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
