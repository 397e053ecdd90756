//! Lists of lines: one indicator each, hosts files, maltrail's trails, CSV.
//!
//! In: a line. Out: what it says, to the builder's latest list. `#` and what follows it is a comment, at the begin of a line
//! or behind a space; so is a line that begins with `;` or `//`. Lines with a comma, a semicolon or a tab are CSV: a first
//! line that names columns says in which the indicators stand; else the first field that is an indicator counts. A line
//! without any is counted as not understood, but for the first one of CSV, which are names of columns.

use super::Builder;
use super::indicator::{Indicator, NotUnderstood, indicator};

/// Longest line: a URL and what else stands in its row.
pub const LONGEST_LINE_BYTES: usize = 8_192;
/// Names of columns with indicators.
const COLUMNS: [&str; 20] = [
    "c2_ip",
    "domain",
    "dst_ip",
    "file_sha256",
    "fqdn",
    "host",
    "hostname",
    "indicator",
    "ioc",
    "ioc_value",
    "ip",
    "ip_address",
    "ip_dst",
    "ipaddress",
    "sha256",
    "sha256_hash",
    "url",
    "value",
    "image",
    "network",
];
/// Addresses that hosts files give to names that must not be reached.
const NOWHERE: [&str; 5] = ["0.0.0.0", "127.0.0.1", "::", "::1", "255.255.255.255"];
/// Names of hosts files that are the host's own.
const OWN: [&str; 5] = ["localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost"];

/// What the first line says of those that follow.
#[derive(Debug, Default)]
pub(super) enum Columns {
    /// Nothing was read yet.
    #[default]
    Unknown,
    /// Indicators stand in these fields.
    Named(Vec<usize>),
    /// Any field may have one.
    Any,
}

impl Builder {
    /// Adds what a line of the latest list says; `number` counts its lines from 1.
    pub fn line(&mut self, number: u64, line: &str) {
        if line.len() > LONGEST_LINE_BYTES {
            return self.refuse(number, NotUnderstood::TooLong);
        }
        let line = uncommented(line.trim_start_matches('\u{feff}'));
        if line.is_empty() {
            return;
        }
        let is_first = matches!(self.columns, Columns::Unknown);
        if let Some(separator) = [',', ';', '\t'].into_iter().find(|separator| line.contains(*separator)) {
            return self.row(number, &fields(line, separator), is_first);
        }
        self.columns = Columns::Any;
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some(address), Some(name)) if NOWHERE.contains(&address) => {
                for name in std::iter::once(name).chain(words).filter(|name| !OWN.contains(name)) {
                    self.take(number, name, indicator(name));
                }
            }
            (Some(word), None) => self.take(number, word, indicator(word)),
            _ => self.refuse(number, NotUnderstood::NoForm),
        }
    }

    fn row(&mut self, number: u64, fields: &[String], is_first: bool) {
        if is_first {
            let named = |field: &String| COLUMNS.iter().any(|column| column.eq_ignore_ascii_case(field));
            let places: Vec<usize> =
                (0..).zip(fields).filter(|(_, field)| named(field)).map(|(at, _)| at).collect();
            if !places.is_empty() {
                self.columns = Columns::Named(places);
                return;
            }
            self.columns = Columns::Any;
        }
        if let Columns::Named(places) = &self.columns {
            let read: Vec<(&String, Result<Indicator, NotUnderstood>)> = places
                .iter()
                .filter_map(|at| fields.get(*at))
                .filter(|field| !field.is_empty())
                .map(|field| (field, indicator(field)))
                .collect();
            if read.is_empty() {
                self.refuse(number, NotUnderstood::NoForm);
            }
            return read.into_iter().for_each(|(field, read)| self.take(number, field, read));
        }
        match fields.iter().find_map(|field| indicator(field).ok()) {
            Some(found) => self.add(number, &found),
            None if is_first => {}
            None => self.refuse(number, NotUnderstood::NoForm),
        }
    }
}

/// The line without its comment and the space around it.
fn uncommented(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with(['#', ';']) || line.starts_with("//") {
        return "";
    }
    let mut at = 0;
    while let Some(found) = line.get(at..).and_then(|rest| rest.find('#')) {
        let place = at + found;
        if line.get(..place).is_some_and(|before| before.ends_with(char::is_whitespace)) {
            return line.get(..place).unwrap_or_default().trim_end();
        }
        at = place + 1;
    }
    line
}

/// The fields of a row, without their quotes: RFC 4180.
fn fields(line: &str, separator: char) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                push(&mut fields, '"');
            }
            '"' => is_quoted = !is_quoted,
            _ if letter == separator && !is_quoted => fields.push(String::new()),
            _ => push(&mut fields, letter),
        }
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

fn push(fields: &mut [String], letter: char) {
    if let Some(field) = fields.last_mut() {
        field.push(letter);
    }
}
