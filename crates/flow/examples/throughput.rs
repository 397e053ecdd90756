//! How fast captures become flows, on one core, from the file to the last flow.
//!
//! ```text
//! cargo run --release -p watchkeeper-flow --example throughput -- merge FOLDER COPIES OUT
//! cargo run --release -p watchkeeper-flow --example throughput -- read FILE
//! ```
//!
//! `merge` writes one capture of every Ethernet capture below FOLDER: they begin seven seconds apart and run into each
//! other, silences over a minute are cut to one, and the whole follows itself COPIES times with other addresses. `read`
//! prints what it took: packets, bytes and flows, wall and processor time, and the memory at its highest.
//! `tests/long/flows_speed.sh` runs both beside nDPI's reader.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool of the command line")]

#[path = "support/captures.rs"]
#[allow(dead_code, reason = "another program uses the rest")]
mod captures;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use flow::{Limits, Table};
use sense::capture::{Capture, Layer3, layer3};

/// LINKTYPE of Ethernet.
const ETHERNET: u32 = 1;
const NS_PER_S: u64 = 1_000_000_000;
/// When the merged capture begins, seconds since 1970.
const START_S: u64 = 1_600_000_000;
const BETWEEN_CAPTURES_NS: u64 = 7 * NS_PER_S;
const MAX_SILENCE_NS: u64 = 60 * NS_PER_S;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["merge", folder, copies, out] => match copies.parse() {
            Ok(copies) => merge(Path::new(folder), copies, Path::new(out)),
            Err(_) => Err("COPIES is a number from 1 to 255".to_owned()),
        },
        ["read", file] => read(Path::new(file)),
        _ => Err("usage: throughput merge FOLDER COPIES OUT | throughput read FILE".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A frame and when it comes, counted from the merged capture's begin.
struct Frame {
    time_ns: u64,
    bytes: Vec<u8>,
}

fn merge(folder: &Path, copies: u8, out: &Path) -> Result<(), String> {
    let mut frames = Vec::new();
    for (number, path) in (0..).zip(captures::captures_below(folder)) {
        add_capture(&path, number * BETWEEN_CAPTURES_NS, &mut frames);
    }
    frames.sort_by_key(|frame| frame.time_ns);
    let Some(last) = frames.last() else { return Err(format!("{} holds no captures", folder.display())) };
    let span_ns = last.time_ns + NS_PER_S;
    let failed = |error| format!("{}: {error}", out.display());
    let mut file = BufWriter::new(File::create(out).map_err(failed)?);
    // Microseconds, version 2.4, no limit worth a name, Ethernet.
    let header: [u32; 6] = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, ETHERNET];
    for word in header {
        file.write_all(&word.to_le_bytes()).map_err(failed)?;
    }
    for copy in 0..copies {
        for frame in &mut frames {
            let time_ns = frame.time_ns + u64::from(copy) * span_ns;
            let seconds = START_S + time_ns / NS_PER_S;
            let length = frame.bytes.len() as u64;
            // The lower half of a word is all that these need until 2106.
            for word in [seconds, time_ns % NS_PER_S / 1000, length, length] {
                let [a, b, c, d, ..] = word.to_le_bytes();
                file.write_all(&[a, b, c, d]).map_err(failed)?;
            }
            rewrite(&mut frame.bytes, copy);
            file.write_all(&frame.bytes).map_err(failed)?;
            rewrite(&mut frame.bytes, copy);
        }
    }
    file.flush().map_err(failed)
}

fn add_capture(path: &Path, begin_ns: u64, frames: &mut Vec<Frame>) {
    let Ok(mut capture) = Capture::open(path) else { return };
    let (mut before, mut time_ns) = (None, begin_ns);
    // A broken capture counts as far as it can be read.
    while let Ok(Some(packet)) = capture.next_packet() {
        if packet.link != ETHERNET {
            continue;
        }
        let silence_ns = before.map_or(0, |before| packet.time_ns.saturating_sub(before));
        before = Some(packet.time_ns);
        time_ns += silence_ns.min(MAX_SILENCE_NS);
        frames.push(Frame { time_ns, bytes: packet.frame.to_vec() });
    }
}

/// Changes both addresses of an IP packet in a copy's own way; twice gives the first back.
fn rewrite(frame: &mut [u8], copy: u8) {
    const VLAN: [u8; 2] = [0x81, 0];
    let mut at = 12;
    while frame.get(at..at + 2) == Some(&VLAN) {
        at += 4;
    }
    // The second byte of IPv4 addresses, the sixth of IPv6's.
    let places = match frame.get(at..at + 2) {
        Some([8, 0]) => [at + 2 + 13, at + 2 + 17],
        Some([0x86, 0xdd]) => [at + 2 + 13, at + 2 + 29],
        _ => return,
    };
    for place in places {
        if let Some(byte) = frame.get_mut(place) {
            *byte ^= copy;
        }
    }
}

fn read(path: &Path) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", path.display());
    let begin = Instant::now();
    let mut capture = Capture::open(path).map_err(failed)?;
    let mut table = Table::new(Limits { max_bytes: 1 << 30, seed: 0 });
    let (mut packets, mut bytes, mut flows) = (0u64, 0u64, 0u64);
    // Something of every flow is used, as any reader would.
    let mut payload_bytes = 0u64;
    while let Some(packet) = capture.next_packet().map_err(failed)? {
        packets += 1;
        bytes += packet.len_bytes as u64;
        if let Layer3::Ip(ip) = layer3(packet.link, packet.frame) {
            table.packet(packet.time_ns, ip);
        }
        while let Some(flow) = table.pop() {
            flows += 1;
            payload_bytes += flow.sent.payload_bytes + flow.received.payload_bytes;
        }
    }
    table.finish();
    while let Some(flow) = table.pop() {
        flows += 1;
        payload_bytes += flow.sent.payload_bytes + flow.received.payload_bytes;
    }
    let wall_s = begin.elapsed().as_secs_f64();
    println!(
        "packets {packets} bytes {bytes} payload {payload_bytes} flows {flows} wall_s {wall_s:.4} processor_s {:.4} \
         mpps {:.4} gbps {:.3} peak_kb {} bytes_per_flow {}",
        processor_s().unwrap_or(f64::NAN),
        packets as f64 / wall_s / 1e6,
        bytes as f64 * 8.0 / wall_s / 1e9,
        peak_kb().unwrap_or_default(),
        flow::BYTES_PER_FLOW,
    );
    Ok(())
}

/// Processor time of this process: nanoseconds are the first number of the scheduler's statistics.
fn processor_s() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    let ns: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(ns / 1e9)
}

fn peak_kb() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok())
}
