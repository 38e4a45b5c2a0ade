//! A name server on UDP that knows what the case tells it.

use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::backend::Phase;
use crate::case::{Answer, BackendSpec};

/// # Errors
/// When the address cannot be bound.
pub fn start(spec: &BackendSpec, phase: Arc<Phase>) -> Result<(), String> {
    let port = spec.port.ok_or("a name server needs `port`")?;
    let socket = UdpSocket::bind((spec.host.as_str(), port)).map_err(|e| format!("name server {port}: {e}"))?;
    socket.set_read_timeout(Some(Duration::from_millis(100))).map_err(|e| e.to_string())?;
    let spec = spec.clone();
    let began = Instant::now();
    thread::spawn(move || {
        let mut question = [0; 2048];
        while !phase.over() {
            let Ok((n, peer)) = socket.recv_from(&mut question) else { continue };
            let later = spec.later.as_ref().filter(|later| began.elapsed().as_secs_f64() >= later.after);
            let records = later.map_or(&spec.records, |later| &later.records);
            if let Some(reply) = reply(&question[..n], records, spec.ttl.unwrap_or(60)) {
                // A proxy that has gone is no fault of the name server.
                let _ = socket.send_to(&reply, peer);
            }
        }
    });
    Ok(())
}

/// The answer to a question (RFC 1035, 4.1), or nothing where silence is the answer.
fn reply(question: &[u8], records: &BTreeMap<String, Answer>, ttl: u32) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(question.get(at..at + length)?).to_ascii_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes([*question.get(at)?, *question.get(at + 1)?]);
    let section = question.get(12..at + 4)?;
    let addresses = match records.get(&labels.join(".")) {
        Some(Answer::Addresses(addresses)) => Some(addresses.as_slice()),
        Some(Answer::Word(word)) if word == "timeout" => return None,
        _ => None,
    };
    let mut found = Vec::new();
    let mut count: u16 = 0;
    for address in addresses.unwrap_or_default() {
        let data = match (address.parse().ok()?, kind) {
            (IpAddr::V4(address), 1) => address.octets().to_vec(),
            (IpAddr::V6(address), 28) => address.octets().to_vec(),
            _ => continue,
        };
        count += 1;
        found.extend_from_slice(&[0xc0, 0x0c]); // the name: as in the question
        found.extend_from_slice(&kind.to_be_bytes());
        found.extend_from_slice(&[0, 1]);
        found.extend_from_slice(&ttl.to_be_bytes());
        found.extend_from_slice(&u16::try_from(data.len()).ok()?.to_be_bytes());
        found.extend_from_slice(&data);
    }
    let code = if addresses.is_some() { 0 } else { 3 };
    let mut out = vec![question[0], question[1], 0x81, 0x80 | code, 0, 1];
    out.extend_from_slice(&count.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(section);
    out.extend_from_slice(&found);
    Some(out)
}
