//! String patterns: `*` any text, `?` one character, and the escapes of the specification.
//!
//! Sigma 2.1.0, "Escaping" and "Wildcards": `\*`, `\?` and `\\*` escape; a backslash before anything else is
//! itself. `*` spans line breaks, since an attacker chooses where they are.

/// A string with its wildcards read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// The parts in order; two literals never stand side by side, nor two `Any`.
    pub segments: Vec<Segment>,
    /// Whether case matters (`|cased`).
    pub cased: bool,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// This text.
    Literal(String),
    /// Any text, also none (`*`).
    Any,
    /// Exactly one character (`?`).
    One,
    /// One of [`DASHES`] (`|windash`).
    Dash,
    /// `%name%` under `|expand`: to be filled in from the configuration before the rule can run.
    Placeholder(String),
}

/// What `|windash` takes for a dash: hyphen, slash, en dash, em dash, horizontal bar.
pub const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

impl Pattern {
    /// A pattern without wildcards.
    pub fn literal(text: impl Into<String>) -> Self {
        let mut pattern = Self::default();
        pattern.push(Segment::Literal(text.into()));
        pattern
    }

    /// Reads wildcards and escapes.
    pub fn parse(text: &str) -> Self {
        let mut pattern = Self::default();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '*' => pattern.push(Segment::Any),
                '?' => pattern.push(Segment::One),
                '\\' => {
                    let escaped = letters.next_if(|next| matches!(next, '*' | '?' | '\\'));
                    pattern.push_char(escaped.unwrap_or('\\'));
                }
                other => pattern.push_char(other),
            }
        }
        pattern
    }

    /// The text, when the pattern is only text.
    pub fn as_literal(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [] => Some(""),
            [Segment::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The longest text that every match contains; empty when there is none.
    pub fn required_literal(&self) -> &str {
        let literals = self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(text) => Some(text.as_str()),
            _ => None,
        });
        literals.max_by_key(|text| text.len()).unwrap_or("")
    }

    /// The names of the placeholders in it.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Placeholder(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Appends a part, joining it with the last where that means the same.
    pub fn push(&mut self, segment: Segment) {
        match (self.segments.last_mut(), segment) {
            (_, Segment::Literal(text)) if text.is_empty() => {}
            (Some(Segment::Literal(last)), Segment::Literal(text)) => last.push_str(&text),
            (Some(Segment::Any), Segment::Any) => {}
            (_, segment) => self.segments.push(segment),
        }
    }

    fn push_char(&mut self, letter: char) {
        match self.segments.last_mut() {
            Some(Segment::Literal(last)) => last.push(letter),
            _ => self.segments.push(Segment::Literal(letter.into())),
        }
    }

    /// `|startswith`, `|endswith` and `|contains`: any text allowed before and after as said.
    #[must_use]
    pub fn open(self, before: Openness, after: Openness) -> Self {
        let mut pattern = Self { segments: Vec::new(), cased: self.cased };
        if before == Openness::Any {
            pattern.push(Segment::Any);
        }
        self.segments.into_iter().for_each(|segment| pattern.push(segment));
        if after == Openness::Any {
            pattern.push(Segment::Any);
        }
        pattern
    }

    /// `|windash`: a dash at the start of a word stands for all of them.
    #[must_use]
    pub fn windash(self) -> Self {
        let mut pattern = Self { segments: Vec::new(), cased: self.cased };
        for segment in self.segments {
            let Segment::Literal(text) = segment else {
                pattern.push(segment);
                continue;
            };
            let letters: Vec<char> = text.chars().collect();
            for (index, letter) in letters.iter().enumerate() {
                let before = index.checked_sub(1).and_then(|at| letters.get(at));
                let opens_word = !before.is_some_and(|letter| is_word(*letter))
                    && letters.get(index + 1).is_some_and(|letter| is_word(*letter));
                if DASHES.contains(letter) && opens_word {
                    pattern.push(Segment::Dash);
                } else {
                    pattern.push_char(*letter);
                }
            }
        }
        pattern
    }

    /// `|expand`: `%name%` becomes a placeholder.
    #[must_use]
    pub fn expand(self) -> Self {
        let mut pattern = Self { segments: Vec::new(), cased: self.cased };
        for segment in self.segments {
            let Segment::Literal(text) = segment else {
                pattern.push(segment);
                continue;
            };
            let mut rest = text.as_str();
            while let Some((before, name, after)) = placeholder(rest) {
                pattern.push(Segment::Literal(before.replace("\\%", "%")));
                pattern.push(Segment::Placeholder(name.to_owned()));
                rest = after;
            }
            pattern.push(Segment::Literal(rest.replace("\\%", "%")));
        }
        pattern
    }
}

/// Whether any text may stand at an end of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Openness {
    /// Nothing more.
    Closed,
    /// Any text.
    Any,
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The first `%name%` of `text`, with what stands before and after it.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let open = from + text.get(from..)?.find('%')?;
        let before = text.get(..open)?;
        let (name, after) = text.get(open + 1..)?.split_once('%')?;
        let is_name = !name.is_empty() && name.chars().all(|c| is_word(c) || c == '-' || c == '.');
        if is_name && !before.ends_with('\\') {
            return Some((before, name, after));
        }
        from = open + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &Pattern) -> String {
        let part = |segment: &Segment| match segment {
            Segment::Literal(text) => format!("[{text}]"),
            Segment::Any => "*".into(),
            Segment::One => "?".into(),
            Segment::Dash => "~".into(),
            Segment::Placeholder(name) => format!("%{name}%"),
        };
        pattern.segments.iter().map(part).collect()
    }

    #[test]
    fn wildcards_and_escapes_are_read_as_specified() {
        let check = |text: &str, expect: &str| assert_eq!(shown(&Pattern::parse(text)), expect, "{text}");
        check("a*b?c", "[a]*[b]?[c]");
        check(r"C:\Windows\cmd.exe", r"[C:\Windows\cmd.exe]");
        check(r"\*\?", "[*?]");
        check(r"\\*", r"[\]*");
        check(r"a\\\*b", r"[a\*b]");
        check(r"\\\\host", r"[\\host]");
        check("**", "*");
        check(r"end\", r"[end\]");
        check("", "");
    }

    #[test]
    fn a_dash_is_any_dash_only_where_a_word_begins() {
        let windash = |text: &str| shown(&Pattern::parse(text).windash());
        assert_eq!(windash(" -exec /c"), "[ ]~[exec ]~[c]");
        assert_eq!(windash("a-b"), "[a-b]");
        assert_eq!(windash("--help"), "[-]~[help]");
    }

    #[test]
    fn placeholders_need_a_name_and_no_escape() {
        let expand = |text: &str| shown(&Pattern::parse(text).expand());
        assert_eq!(expand("%Admins%*"), "%Admins%*");
        assert_eq!(expand(r"100\%x%"), "[100%x%]");
        assert_eq!(expand("5% of 6%"), "[5% of 6%]");
        assert_eq!(expand("a %b% c"), "[a ]%b%[ c]");
    }

    #[test]
    fn the_required_literal_is_the_longest_text() {
        assert_eq!(Pattern::parse("*a*longer?").required_literal(), "longer");
        assert_eq!(Pattern::parse("*").required_literal(), "");
    }
}
