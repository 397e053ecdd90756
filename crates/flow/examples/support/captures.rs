//! The flows of a capture, by their ends.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use flow::{Flow, Limits, Table, Transport};
use sense::capture::{Capture, Layer3, layer3};

/// Transport and both endpoints, in order.
pub type Ends = (Transport, (IpAddr, u16), (IpAddr, u16));

pub fn ends(transport: Transport, a: (IpAddr, u16), b: (IpAddr, u16)) -> Ends {
    if a <= b { (transport, a, b) } else { (transport, b, a) }
}

/// The folder that holds the captures.
pub fn root() -> PathBuf {
    let data =
        std::env::var_os("WATCHKEEPER_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    data.join("pcap")
}

/// The flows of a capture, in the order in which they ended.
pub fn flows(path: &Path) -> Vec<Flow> {
    let mut table = Table::new(Limits::default());
    let mut capture = match Capture::open(path) {
        Ok(capture) => capture,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            return Vec::new();
        }
    };
    loop {
        match capture.next_packet() {
            Ok(Some(packet)) => match layer3(packet.link, packet.frame) {
                Layer3::Ip(bytes) => table.packet(packet.time_ns, bytes),
                Layer3::UnknownLink => eprintln!("{}: link type {}", path.display(), packet.link),
                Layer3::Other => {}
            },
            Ok(None) => break,
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                break;
            }
        }
    }
    table.finish();
    std::iter::from_fn(|| table.pop()).collect()
}

/// The same by their ends; several of one five-tuple in order of their size, largest first.
pub fn by_ends(path: &Path) -> BTreeMap<Ends, Vec<Flow>> {
    let mut by_ends = BTreeMap::<Ends, Vec<Flow>>::new();
    for flow in flows(path) {
        let key =
            ends(flow.transport, (flow.opener.ip, flow.opener.port), (flow.listener.ip, flow.listener.port));
        by_ends.entry(key).or_default().push(flow);
    }
    for found in by_ends.values_mut() {
        found.sort_by_key(|flow| std::cmp::Reverse(flow.sent.payload_bytes + flow.received.payload_bytes));
    }
    by_ends
}

/// Every capture below a folder, sorted.
pub fn captures_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("pcap" | "pcapng" | "cap" | "trace") => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}
