//! Where a flow leads.

use compact_str::{CompactString, ToCompactString, format_compact};
use event::Event;
use event::network::Flow;

/// The name by which the listener of a flow was asked for, else its address, and its port: a service behind many addresses
/// is one.
pub fn listener(event: &Event, flow: &Flow) -> (CompactString, u16) {
    let (ends, names) = (&flow.ends, &flow.names);
    let (ip, port) =
        if flow.initiated { (ends.remote_ip, ends.remote_port) } else { (ends.local_ip, ends.local_port) };
    let asked = event.context.remote_name.as_ref().filter(|_| flow.initiated).unwrap_or(&names.dns);
    let name = [&names.sni, &names.host, asked].into_iter().find(|name| !name.is_empty());
    (name.map_or_else(|| ip.to_compact_string(), CompactString::clone), port)
}

/// The same as one text.
pub(super) fn listener_text(event: &Event, flow: &Flow) -> CompactString {
    let (host, port) = listener(event, flow);
    format_compact!("{host} port {port}")
}
