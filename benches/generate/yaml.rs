//! A repository that holds many YAML files and little else: what stands around one proxy must not cost more than its walk.

use super::{Dice, File};
use std::fmt::Write;

/// One nginx.conf, one compose file that mounts it, and so many YAML files that have to do with neither.
pub fn yaml_tree(number: usize, seed: u64) -> Vec<File> {
    let mut dice = Dice(seed);
    let nginx = "events {}\nhttp {\n    server {\n        listen 80;\n        location / {\n            proxy_pass http://app:8000;\n        }\n    }\n}\n";
    let compose = "services:\n  web:\n    image: nginx:1.27\n    volumes: [\"./nginx.conf:/etc/nginx/nginx.conf:ro\"]\n    depends_on: [app]\n  app:\n    image: registry.example.test/app:1\n    command: gunicorn --bind 0.0.0.0:8000 app\n";
    let mut files = vec![
        File { path: "nginx.conf".into(), text: nginx.into() },
        File { path: "compose.yaml".into(), text: compose.into() },
    ];
    for at in 0..number {
        let mut text = String::from("# data of a test\nitems:\n");
        for item in 0..dice.next() % 120 {
            let value = dice.next();
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  - name: item-{item}\n    value: {value}\n    tags: [a, b, \"c {value}\"]");
        }
        files.push(File { path: format!("data/{:02}/{at:05}.yaml", at % 50), text });
    }
    files
}
