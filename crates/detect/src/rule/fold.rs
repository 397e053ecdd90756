//! Case folding: which characters are the same letter.
//!
//! In: text. Out: text whose letters are folded one to one, as Unicode's simple case folding does
//! (CaseFolding.txt, status C and S), made from the standard library's mappings: a character becomes the lower case
//! of its upper case where both are one character. Left out on purpose: foldings that change the length (`ß` is not
//! `ss`) and the Turkish ones (`ı` is not `i`).

/// Folds one character.
pub(crate) fn fold(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    // U+0131 has the upper case `I`, but no folding outside Turkish.
    if letter == '\u{131}' {
        return letter;
    }
    let upper = only(letter.to_uppercase()).unwrap_or(letter);
    only(upper.to_lowercase()).unwrap_or(upper)
}

/// Folds a text.
pub(crate) fn fold_text(text: &str) -> String {
    text.chars().map(fold).collect()
}

fn only(mut letters: impl Iterator<Item = char>) -> Option<char> {
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Some(letter),
        _ => None,
    }
}
