//! Text that an attacker controls, made safe for a terminal.

use std::fmt::{self, Write};

/// Shows a string with everything that a terminal would act on escaped: control characters, bidirectional
/// overrides, invisible format characters and line ends. At most `limit` characters are shown; `…` says that more
/// were there.
pub struct Escaped<'a> {
    text: &'a str,
    limit: usize,
}

/// `text`, safe to print, cut after `limit` characters.
pub fn escaped(text: &str, limit: usize) -> Escaped<'_> {
    Escaped { text, limit }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, c) in self.text.chars().enumerate() {
            if index == self.limit {
                return f.write_char('…');
            }
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\\' => f.write_str("\\\\")?,
                c if is_unsafe(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Control characters, and characters that change the direction or the visibility of others (Unicode TR36, TR9).
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
