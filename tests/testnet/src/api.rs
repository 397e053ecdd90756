//! As much of a Kubernetes API as `kubectl apply` of a deployment needs: discovery, "not found", and an answer to what is
//! made. In place of an API server it writes the audit event of level RequestResponse (audit.k8s.io/v1) that one would
//! write for each object that is made. It keeps nothing.

use super::say;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

/// Longest body that is read.
const BODY_BYTES: usize = 1 << 20;

const VERSIONS: &str = r#"{"kind":"APIVersions","versions":["v1"]}"#;
const GROUPS: &str = r#"{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}],"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}]}"#;
const CORE: &str = r#"{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"pods","singularName":"","namespaced":true,"kind":"Pod","verbs":["create","get","patch"]}]}"#;
const APPS: &str = r#"{"kind":"APIResourceList","groupVersion":"apps/v1","resources":[{"name":"deployments","singularName":"","namespaced":true,"kind":"Deployment","verbs":["create","get","patch"]}]}"#;
const NOT_FOUND: &str =
    r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}"#;

/// Answers until it is killed; `audit` gets a line for each object that is made, at `time` (RFC 3339).
pub fn serve(address: &str, audit: &str, time: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    let mut audit = OpenOptions::new().create(true).append(true).open(audit)?;
    say("ready")?;
    for stream in listener.incoming() {
        // A client that goes away is none of the next one's business.
        if let Err(error) = session(&stream?, &mut audit, time) {
            say(&format!("session ended: {error}"))?;
        }
    }
    Ok(())
}

struct Request {
    method: String,
    path: String,
    user_agent: String,
    body: String,
}

fn session(stream: &TcpStream, audit: &mut File, time: &str) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(request) = Request::read(&mut reader)? {
        say(&format!("{} {}", request.method, request.path))?;
        let (status, answer) = request.answer();
        if request.method == "POST" {
            let event = request.audit_event(&stream.peer_addr()?.ip().to_string(), time);
            writeln!(audit, "{event}")?;
        }
        write!(
            writer,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        )?;
    }
    Ok(())
}

impl Request {
    /// The next one; nothing where the client has closed.
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (mut length, mut user_agent) = (0_usize, String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
                break;
            }
            match line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim())) {
                Some((name, value)) if name == "content-length" => length = value.parse().unwrap_or(0),
                Some((name, value)) if name == "user-agent" => value.clone_into(&mut user_agent),
                _ => {}
            }
        }
        let mut body = vec![0; length.min(BODY_BYTES)];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body).trim().to_owned();
        Ok(Some(Self { method, path, user_agent, body }))
    }

    fn answer(&self) -> (&'static str, &str) {
        let path = self.path.split('?').next().unwrap_or("");
        match (self.method.as_str(), path) {
            ("GET", "/api") => ("200 OK", VERSIONS),
            ("GET", "/apis") => ("200 OK", GROUPS),
            ("GET", "/api/v1") => ("200 OK", CORE),
            ("GET", "/apis/apps/v1") => ("200 OK", APPS),
            ("POST", _) => ("201 Created", &self.body),
            _ => ("404 Not Found", NOT_FOUND),
        }
    }

    /// The event that an API server would write. `/apis/apps/v1/namespaces/NAMESPACE/RESOURCE` says what is made; its name
    /// is found in the body by whoever reads the event.
    fn audit_event(&self, source: &str, time: &str) -> String {
        let path = self.path.split('?').next().unwrap_or("");
        let parts: Vec<&str> = path.split('/').collect();
        let after = |word: &str| {
            let at = parts.iter().position(|part| *part == word);
            at.and_then(|at| parts.get(at + 1)).copied().unwrap_or("")
        };
        let resource = parts.last().copied().unwrap_or("");
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"stub","stage":"ResponseComplete","requestURI":"{path}","verb":"create","user":{{"username":"stub-user","groups":["system:authenticated"]}},"sourceIPs":["{source}"],"userAgent":"{}","objectRef":{{"resource":"{resource}","namespace":"{}","apiGroup":"apps","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":201}},"requestObject":{body},"responseObject":{body},"requestReceivedTimestamp":"{time}","stageTimestamp":"{time}"}}"#,
            self.user_agent.replace(['"', '\\'], ""),
            after("namespaces"),
            body = if self.body.is_empty() { "null" } else { &self.body },
        )
    }
}
