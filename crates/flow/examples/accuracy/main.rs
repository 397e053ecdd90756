//! How well flows are named: labels of other engines' test captures against the verdicts of this crate.
//!
//! ```text
//! WATCHKEEPER_DATA=../shared/data cargo run --release -p watchkeeper-flow --example accuracy [-- --cross | --messages | --all | --list]
//! ```
//!
//! In: captures and their labels below `pcap/` of the data. Out: for nDPI's captures, recall over the rows whose label is
//! a protocol that Watchkeeper names, precision over what Watchkeeper named, how soon, each protocol's counts, and every
//! disagreement. With `--cross`, agreement with the labels of Arkime, of tshark over Zeek's traces, and of Suricata's tests,
//! every disagreement with its reason. With `--messages`, what first messages say against the values of others.
//!
//! `--all` counts out-of-set labels of nDPI in the precision too; `--list` prints only disagreements.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool of the command line")]
#![allow(missing_docs, reason = "a program")]

#[path = "../support/captures.rs"]
mod captures;
mod cross;
mod messages;
mod ndpi;

use std::collections::BTreeSet;

fn main() {
    let arguments: BTreeSet<String> = std::env::args().skip(1).collect();
    if arguments.contains("--cross") {
        cross::report();
    } else if arguments.contains("--messages") {
        messages::report();
    } else {
        ndpi::report(&arguments);
    }
}
