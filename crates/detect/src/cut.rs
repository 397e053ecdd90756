//! Cutting a text to a length.

/// At most the first `limit` bytes of `text`, whole characters only.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}
