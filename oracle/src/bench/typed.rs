//! Our typed event as rsigma reads events: by name, borrowed, without making anything.
//!
//! Only the fields that the measured events have; a name that is not here is missing in them.

use event::process::Process;
use event::{Event, Kind};
use rsigma_eval::EventValue;
use std::borrow::Cow;

/// An event to read.
pub struct Typed<'e>(pub &'e Event);

/// Fields that are text.
const TEXTS: [&str; 5] = ["Image", "CommandLine", "CurrentDirectory", "ParentImage", "ParentCommandLine"];
/// Fields of an execution that are numbers.
const NUMBERS: [&str; 3] = ["ProcessId", "ParentProcessId", "User"];
/// Fields of a connection.
const CONNECTION: [&str; 4] = ["DestinationIp", "DestinationPort", "SourceIp", "SourcePort"];

impl Typed<'_> {
    fn process(&self) -> Option<&Process> {
        self.0.context.process.as_deref()
    }

    fn text(&self, name: &str) -> Option<&str> {
        let text = match name {
            "Image" => self.process()?.own.path.as_str(),
            "CommandLine" => self.process()?.own.command_line.as_str(),
            "CurrentDirectory" => match &self.0.kind {
                Kind::Exec(exec) => exec.cwd.as_str(),
                _ => return None,
            },
            "ParentImage" => self.process()?.ancestors.first()?.path.as_str(),
            "ParentCommandLine" => self.process()?.ancestors.first()?.command_line.as_str(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    fn number(&self, name: &str) -> Option<i64> {
        let actor = self.0.actor.as_ref()?;
        match name {
            "ProcessId" => Some(actor.pid.into()),
            "ParentProcessId" => Some(actor.ppid.into()),
            "User" => Some(actor.uid.into()),
            _ => None,
        }
    }

    fn end(&self, name: &str) -> Option<EventValue<'_>> {
        let Kind::Connection(connection) = &self.0.kind else { return None };
        let ends = &connection.ends;
        match name {
            "DestinationIp" => Some(EventValue::Str(Cow::Owned(ends.remote_ip.to_string()))),
            "DestinationPort" => Some(EventValue::Int(ends.remote_port.into())),
            "SourceIp" => Some(EventValue::Str(Cow::Owned(ends.local_ip.to_string()))),
            "SourcePort" => Some(EventValue::Int(ends.local_port.into())),
            _ => None,
        }
    }
}

impl rsigma_eval::Event for Typed<'_> {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        if let Some(text) = self.text(path) {
            return Some(EventValue::Str(Cow::Borrowed(text)));
        }
        self.number(path).map(EventValue::Int).or_else(|| self.end(path))
    }

    fn any_string_value(&self, holds: &dyn Fn(&str) -> bool) -> bool {
        TEXTS.iter().filter_map(|name| self.text(name)).any(holds)
    }

    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        TEXTS.iter().filter_map(|name| self.text(name)).map(Cow::Borrowed).collect()
    }

    fn visit_string_values(&self, visit: &mut dyn FnMut(&str)) {
        TEXTS.iter().filter_map(|name| self.text(name)).for_each(visit);
    }

    fn to_json(&self) -> serde_json::Value {
        let fields = TEXTS.iter().chain(&NUMBERS).chain(&CONNECTION);
        let fields = fields.filter_map(|name| Some(((*name).to_owned(), self.get_field(name)?.to_json())));
        serde_json::Value::Object(fields.collect())
    }

    fn visit_top_level_keys(&self, visit: &mut dyn FnMut(&str)) -> bool {
        let names: &[&str] = match self.0.kind {
            Kind::Connection(_) => &CONNECTION,
            _ => &TEXTS,
        };
        names.iter().chain(&NUMBERS).for_each(|name| visit(name));
        true
    }
}
