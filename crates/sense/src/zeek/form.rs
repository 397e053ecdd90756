//! The two forms of Zeek's logs: tab-separated with a head of `#` lines, and JSON, an object a line.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::record::Record;

/// The logs that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// Connections.
    Conn,
    /// DNS.
    Dns,
    /// TLS.
    Ssl,
    /// HTTP.
    Http,
}

impl Log {
    /// The log that Zeek calls so.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "conn" => Some(Self::Conn),
            "dns" => Some(Self::Dns),
            "ssl" => Some(Self::Ssl),
            "http" => Some(Self::Http),
            _ => None,
        }
    }
}

/// A member of each log's records that no other of the logs has; most telling first.
const MARKS: &[(&str, Log)] = &[
    ("conn_state", Log::Conn),
    ("qtype_name", Log::Dns),
    ("query", Log::Dns),
    ("cipher", Log::Ssl),
    ("ssl_history", Log::Ssl),
    ("server_name", Log::Ssl),
    ("trans_depth", Log::Http),
    ("method", Log::Http),
    ("orig_ip_bytes", Log::Conn),
];

/// The log that the first line or lines of a file are of; `None` if of none that is read.
pub fn recognise(start: &str) -> Option<Log> {
    let start = start.trim_start_matches('\u{feff}');
    if start.starts_with("#separator") || start.starts_with("#fields") {
        let path = start.lines().find_map(|line| line.strip_prefix("#path"));
        return path.and_then(|path| log_of_path(path.trim_start_matches(is_gap)));
    }
    let Ok(Value::Object(object)) = serde_json::from_str(start.lines().next()?) else { return None };
    log_of_object(&object)
}

/// The head names the separator; the path may be followed by what a rotation added.
fn log_of_path(path: &str) -> Option<Log> {
    Log::by_name(path.trim())
}

fn is_gap(letter: char) -> bool {
    matches!(letter, '\t' | ' ' | ',' | '|')
}

fn log_of_object(object: &Map<String, Value>) -> Option<Log> {
    if let Some(path) = object.get("_path").and_then(Value::as_str) {
        return Log::by_name(path);
    }
    if !object.contains_key("ts") || !object.contains_key("id.orig_h") {
        return None;
    }
    MARKS.iter().find(|(mark, _)| object.contains_key(*mark)).map(|(_, log)| *log)
}

/// What is known of a log's form so far.
#[derive(Debug)]
pub(super) struct Form {
    /// The log that the caller or the head names.
    log: Option<Log>,
    head: Head,
}

#[derive(Debug)]
struct Head {
    separator: String,
    set_separator: String,
    empty: String,
    unset: String,
    fields: Vec<String>,
}

/// A record's members by name.
pub(super) enum Row<'a> {
    Text(&'a HeadRow<'a>),
    Json(&'a Map<String, Value>),
}

pub(super) struct HeadRow<'a> {
    head: &'a Head,
    cells: Vec<&'a str>,
}

impl Form {
    pub(super) fn new(log: Option<Log>) -> Self {
        let head = Head {
            separator: "\t".into(),
            set_separator: ",".into(),
            empty: "(empty)".into(),
            unset: "-".into(),
            fields: Vec::new(),
        };
        Self { log, head }
    }

    /// The record of a line; `None` for lines of the head and empty ones.
    pub(super) fn record(&mut self, line: &str) -> Result<Option<Record>, String> {
        let line = line.trim_start_matches('\u{feff}');
        if line.trim().is_empty() {
            return Ok(None);
        }
        if let Some(said) = line.strip_prefix('#') {
            self.learn(said);
            return Ok(None);
        }
        if line.starts_with('{') {
            let Value::Object(object) = serde_json::from_str(line).map_err(|error| error.to_string())? else {
                return Err("not an object".into());
            };
            let log = self.log.or_else(|| log_of_object(&object));
            let log = log.ok_or("members of none of the logs conn, dns, ssl and http")?;
            return Record::read(log, &Row::Json(&object)).map(Some);
        }
        let log = self.log.ok_or("the head with #path of conn, dns, ssl or http is missing")?;
        if self.head.fields.is_empty() {
            return Err("the head with #fields is missing".into());
        }
        let cells: Vec<&str> = line.split(self.head.separator.as_str()).collect();
        if cells.len() != self.head.fields.len() {
            return Err(format!("{} columns where #fields names {}", cells.len(), self.head.fields.len()));
        }
        let row = HeadRow { head: &self.head, cells };
        Record::read(log, &Row::Text(&row)).map(Some)
    }

    fn learn(&mut self, said: &str) {
        if let Some(rest) = said.strip_prefix("separator") {
            let separator = unescaped(rest.trim_matches(' ')).into_owned();
            if !separator.is_empty() {
                self.head.separator = separator;
            }
            return;
        }
        let mut parts = said.split(self.head.separator.as_str());
        let (Some(key), Some(value)) = (parts.next(), parts.next()) else { return };
        match key {
            "set_separator" => self.head.set_separator = unescaped(value).into_owned(),
            "empty_field" => self.head.empty = value.to_owned(),
            "unset_field" => self.head.unset = value.to_owned(),
            "path" if self.log.is_none() => self.log = log_of_path(value),
            "fields" => {
                self.head.fields = std::iter::once(value).chain(parts).map(str::to_owned).collect();
            }
            _ => {}
        }
    }
}

impl<'a> Row<'a> {
    /// The member of this name as text; `None` where it is not set or empty.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        match self {
            Row::Text(row) => row.cell(name).map(unescaped),
            Row::Json(object) => match object.get(name)? {
                Value::String(text) => Some(Cow::Borrowed(text.as_str())),
                Value::Number(number) => Some(Cow::Owned(number.to_string())),
                Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "T" } else { "F" })),
                _ => None,
            },
        }
        .filter(|text| !text.is_empty())
    }

    /// The texts of a list.
    pub(super) fn list(&self, name: &str) -> Vec<Cow<'a, str>> {
        match self {
            Row::Text(row) => {
                let cell = row.cell(name).unwrap_or_default();
                cell.split(row.head.set_separator.as_str())
                    .filter(|part| !part.is_empty())
                    .map(unescaped)
                    .collect()
            }
            Row::Json(object) => {
                let items = object.get(name).and_then(Value::as_array).into_iter().flatten();
                items.filter_map(Value::as_str).map(Cow::Borrowed).collect()
            }
        }
    }
}

impl<'a> HeadRow<'a> {
    fn cell(&self, name: &str) -> Option<&'a str> {
        let at = self.head.fields.iter().position(|field| field == name)?;
        let cell = self.cells.get(at).copied()?;
        (cell != self.head.unset && cell != self.head.empty).then_some(cell)
    }
}

/// The text with Zeek's `\xHH` read; what is no UTF-8 then becomes U+FFFD.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains("\\x") {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        let (before, escape) = rest.split_at(at);
        bytes.extend_from_slice(before.as_bytes());
        let byte = escape.get(2..4).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let taken = if let Some(byte) = byte {
            bytes.push(byte);
            4
        } else {
            bytes.extend_from_slice(b"\\x");
            2
        };
        rest = escape.get(taken..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}
