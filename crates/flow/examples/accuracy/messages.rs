//! What first messages say against what other programs say of the same captures: the client of QUIC (JA4 and server name)
//! against nDPI's own output, HASSH of both sides against FoxIO's values.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use flow::{Detail, Flow, Transport};
use serde_json::Value;

use crate::captures::{Ends, by_ends, captures_below, ends, root};

#[derive(Default)]
struct Tally {
    all: usize,
    same: usize,
}

impl Tally {
    fn count(&mut self, what: &str, theirs: &str, ours: Option<&str>) {
        self.all += 1;
        if ours == Some(theirs) {
            self.same += 1;
        } else {
            println!("differs: {what}: {theirs}, we say {}", ours.unwrap_or("nothing"));
        }
    }

    fn print(&self, what: &str) {
        println!("{what}: {} of {} identical", self.same, self.all);
    }
}

/// Prints both.
pub fn report() {
    quic(&root().join("ndpi"));
    ssh(&root());
}

fn quic(folder: &Path) {
    let (mut fingerprints, mut names) = (Tally::default(), Tally::default());
    for path in captures_below(folder) {
        let mut output = path.clone().into_os_string();
        output.push(".out");
        let Ok(text) = std::fs::read_to_string(&output) else { continue };
        if !text.contains("[JA4: q") {
            continue;
        }
        let mut flows = by_ends(&path);
        for line in text.lines().filter(|line| line.contains("[JA4: q")) {
            let Some(key) = ends_of(line) else { continue };
            let found = take(&mut flows, &key);
            let names_of = found.as_ref().map(|flow| &flow.names);
            let what = format!("{} {:?}", path.file_name().unwrap_or_default().to_string_lossy(), key);
            if let Some(theirs) = between(line, "[JA4: ", "]").map(without_names) {
                let ours = names_of.and_then(|names| names.ja4.as_deref()).map(without_names);
                fingerprints.count(&what, &theirs, ours.as_deref());
            }
            if let Some(theirs) = between(line, "[Hostname/SNI: ", "]") {
                names.count(&what, theirs, names_of.and_then(|names| names.sni.as_deref()));
            }
        }
    }
    fingerprints.print("QUIC: JA4 of nDPI's output, but for its letters of names");
    names.print("QUIC: server name of nDPI's output");
}

/// A fingerprint without the letters for server name and application protocol: this version of nDPI writes them in a way of
/// its own (`h0` for `h3`, `d` where there is no name).
fn without_names(ja4: &str) -> String {
    let (head, hashes) = ja4.split_once('_').unwrap_or((ja4, ""));
    let (version, counts) = (head.get(..3).unwrap_or_default(), head.get(4..8).unwrap_or_default());
    format!("{version} {counts} {hashes}")
}

/// `1 UDP a:1 <-> b:2 [..`, IPv6 in brackets.
fn ends_of(line: &str) -> Option<Ends> {
    let mut words = line.split_whitespace().skip_while(|word| *word != "UDP").skip(1);
    let a: SocketAddr = words.next()?.parse().ok()?;
    let b: SocketAddr = words.nth(1)?.parse().ok()?;
    Some(ends(Transport::Udp, (a.ip(), a.port()), (b.ip(), b.port())))
}

fn between<'a>(line: &'a str, front: &str, end: &str) -> Option<&'a str> {
    line.split_once(front)?.1.split_once(end).map(|(inside, _)| inside)
}

fn take(flows: &mut BTreeMap<Ends, Vec<Flow>>, key: &Ends) -> Option<Flow> {
    flows.get_mut(key).filter(|found| !found.is_empty()).map(|found| found.remove(0))
}

fn ssh(root: &Path) {
    let mut tally = Tally::default();
    let captures = [captures_below(&root.join("ja4")), captures_below(&root.join("arkime"))].concat();
    for path in &captures {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Ok(text) = std::fs::read_to_string(root.join("ja4").join(format!("{name}.json"))) else {
            continue;
        };
        let Ok(Value::Array(streams)) = serde_json::from_str(&text) else { continue };
        let mut flows = by_ends(path);
        for stream in streams.iter().filter(|stream| stream["ssh_extras"].is_object()) {
            let end = |ip: &str, port: &str| -> Option<(IpAddr, u16)> {
                Some((stream[ip].as_str()?.parse().ok()?, stream[port].as_str()?.parse().ok()?))
            };
            let (Some(a), Some(b)) = (end("src", "srcport"), end("dst", "dstport")) else { continue };
            let found = take(&mut flows, &ends(Transport::Tcp, a, b));
            for (key, detail) in [("hassh", Detail::Hassh), ("hassh_server", Detail::HasshServer)] {
                let Some(theirs) = stream["ssh_extras"][key].as_str().filter(|value| !value.is_empty())
                else {
                    continue;
                };
                let ours = found.as_ref().and_then(|flow| flow.names.details.get(detail));
                tally.count(&format!("{name} {}:{} {key}", a.0, a.1), theirs, ours);
            }
        }
    }
    tally.print("SSH: HASSH of FoxIO's values");
}
