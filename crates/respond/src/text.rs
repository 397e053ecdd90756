//! One block per alert, as an analyst reads it first: severity and title, the sentence with what was observed and
//! expected, then who, where and what next. Everything that an attacker can write is escaped.

use crate::escape::escaped;
use crate::{Colour, Host, rfc3339};
use event::alert::{Activity, Alert, Severity};
use event::{Event, Field, FileChange, Kind, Value};
use std::fmt::Write;

/// Longest value that is shown, in characters.
const VALUE: usize = 240;
/// Longest sentence that is shown, in characters.
const SENTENCE: usize = 1000;
/// Column at which values begin.
const LABEL: usize = 12;
/// Ancestors that are shown.
const ANCESTORS: usize = 6;
/// Lines of a diff that are shown.
const DIFF_LINES: usize = 20;

const RESET: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";

/// The alert as a block of lines, ended by an empty line. Updates and ends of a group say only what is new; the end of
/// a group of one event says nothing.
pub fn render(alert: &Alert, host: &Host, colour: Colour) -> String {
    let mut block = Block { out: String::with_capacity(1024), colour };
    if alert.activity == Activity::Close && alert.count <= 1 {
        return block.out;
    }
    block.head(alert);
    block.sentence(&alert.message);
    block.line("when", &when(alert));
    if alert.activity == Activity::Close {
        block.close(alert);
        return block.out;
    }
    if let Some(event) = alert.evidence.last() {
        block.event(event);
    }
    for technique in &alert.strategy.techniques {
        block.line("technique", &format!("{} {} ({})", technique.id, technique.name, technique.tactic));
    }
    block.line("strategy", &format!("{} ({})", alert.strategy.title, alert.strategy.slug));
    if !alert.strategy.first_response.is_empty() {
        block.line("respond", &alert.strategy.first_response);
    }
    for sentence in &alert.health {
        block.line("health", sentence);
    }
    if let Some(reason) = &alert.ended_because {
        block.line("ended", reason);
    }
    block.line("alert", &format!("{} on {}, confidence {} %", alert.uid, host.hostname, alert.confidence));
    block.out.push('\n');
    block.out
}

fn when(alert: &Alert) -> String {
    if alert.count <= 1 {
        return rfc3339(alert.time);
    }
    format!("{} ({} events since {})", rfc3339(alert.last), alert.count, rfc3339(alert.first))
}

struct Block {
    out: String,
    colour: Colour,
}

impl Block {
    fn paint(&self, code: &'static str) -> &'static str {
        match self.colour {
            Colour::Always => code,
            Colour::Never => "",
        }
    }

    fn head(&mut self, alert: &Alert) {
        let severity = severity_colour(alert.severity);
        let state = match alert.activity {
            Activity::Create => "",
            Activity::Update => " (update)",
            Activity::Close => " (closed)",
        };
        let _ = writeln!(
            self.out,
            "{}{}{:<LABEL$}{}{}{}{}{}",
            self.paint(BOLD),
            self.paint(severity),
            alert.severity.as_str().to_uppercase(),
            self.paint(RESET),
            self.paint(BOLD),
            escaped(&alert.rule_title, VALUE),
            self.paint(RESET),
            state,
        );
    }

    fn close(&mut self, alert: &Alert) {
        if let Some(reason) = &alert.ended_because {
            self.line("ended", reason);
        }
        self.line("alert", &alert.uid);
        self.out.push('\n');
    }

    fn sentence(&mut self, message: &str) {
        let _ = writeln!(self.out, "{:LABEL$}{}", "", escaped(message, SENTENCE));
    }

    fn line(&mut self, label: &str, value: &str) {
        let _ = writeln!(
            self.out,
            "  {}{label:<width$}{}{}",
            self.paint(DIM),
            self.paint(RESET),
            escaped(value, VALUE),
            width = LABEL - 2,
        );
    }

    fn event(&mut self, event: &Event) {
        self.container(event);
        self.process(event);
        self.object(event);
        let facts: Vec<String> = event.facts.iter().map(fact).collect();
        if !facts.is_empty() {
            self.line("facts", &facts.join(", "));
        }
    }

    fn container(&mut self, event: &Event) {
        let Some(id) = event.container_id() else {
            match Field::WorkloadId.of(event) {
                Value::Absent => {}
                workload => self.line("workload", &workload.to_text()),
            }
            return;
        };
        let Some(record) = &event.context.container else {
            self.line("container", &format!("{id} (the runtime has not said more yet)"));
            return;
        };
        self.line("container", &format!("{} {}", record.name, id.short()));
        let known = match record.image_known {
            Some(false) => ", not on this host when Watchkeeper started",
            _ => "",
        };
        self.line("image", &format!("{}{known}", record.image));
    }

    fn process(&mut self, event: &Event) {
        let Some(actor) = &event.actor else { return };
        let command = Field::CommandLine.of(event).to_text();
        let command = if command.is_empty() { actor.comm.clone() } else { command };
        let image = Field::Image.of(event).to_text();
        self.line("process", &format!("{command} (pid {}, uid {}, {image})", actor.pid, actor.uid));
        let Some(process) = &event.context.process else { return };
        let chain: Vec<&str> =
            process.ancestors.iter().take(ANCESTORS).map(|ancestor| ancestor.path.base_name()).collect();
        if !chain.is_empty() {
            self.line("ancestry", &format!("{} ← {}", process.own.path.base_name(), chain.join(" ← ")));
        }
    }

    fn object(&mut self, event: &Event) {
        match event.seen() {
            Kind::Connection(_) | Kind::Payload(_) | Kind::Flow(_) | Kind::Http(_) => {
                let name = match Field::DestinationHostname.of(event) {
                    Value::Str(name) => format!(" ({name})"),
                    _ => String::new(),
                };
                let text = |field: Field| field.of(event).to_text();
                self.line(
                    "connection",
                    &format!(
                        "{} {}:{} → {}:{}{name}",
                        text(Field::Protocol),
                        text(Field::SourceIp),
                        text(Field::SourcePort),
                        text(Field::DestinationIp),
                        text(Field::DestinationPort),
                    ),
                );
            }
            Kind::Dns(dns) => self.line("query", &format!("{} {}", dns.query, dns.record_type)),
            Kind::FileChange(change) => self.changed(change),
            Kind::File(file) => self.line("file", &format!("{} ({})", file.path, file.op.as_str())),
            Kind::Unix(unix) => self.line("socket", unix.path.as_str()),
            Kind::Syscall(call) => {
                self.line("call", &format!("{} {} = {}", call.name, call.detail.join(" "), call.result));
            }
            Kind::Log(record) => {
                self.line("log", &format!("{} {}: {}", record.log, record.program, record.message));
            }
            _ => {}
        }
        if let Some(path) = &event.context.host_path {
            self.line("on host", path);
        }
    }

    /// A watched file: what differs, and the lines that do.
    fn changed(&mut self, change: &FileChange) {
        let what: Vec<&str> = change.what.iter().map(|what| what.as_str()).collect();
        self.line("file", &format!("{} ({})", change.path, what.join(", ")));
        if !change.host_path.is_empty() && change.host_path != change.path.as_str() {
            self.line("on host", &change.host_path);
        }
        for line in change.diff.as_str().lines().take(DIFF_LINES) {
            self.line("diff", line);
        }
        if change.diff.full_len().is_some() || change.diff.as_str().lines().count() > DIFF_LINES {
            self.line("diff", "… (`--format json` has more)");
        }
        for note in &change.notes {
            self.line("note", note);
        }
    }
}

fn fact(fact: &event::Fact) -> String {
    let name = serde_json::to_value(fact.name)
        .ok()
        .and_then(|name| name.as_str().map(|name| name.replace('_', " ")))
        .unwrap_or_default();
    match &fact.value {
        event::FactValue::Flag(true) => name,
        event::FactValue::Flag(false) => format!("not {name}"),
        event::FactValue::Number(number) => format!("{name} {number}"),
        event::FactValue::Real(real) => format!("{name} {real}"),
        event::FactValue::Text(text) => format!("{name} {text}"),
    }
}

fn severity_colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "\x1b[35m",
        Severity::High => "\x1b[31m",
        Severity::Medium => "\x1b[33m",
        Severity::Low => "\x1b[36m",
        Severity::Informational => "\x1b[37m",
    }
}
