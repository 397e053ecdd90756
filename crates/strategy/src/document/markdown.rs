//! The outline of a Markdown document: front matter, sections, machine-read blocks, all with their places.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::section::SectionKind;
use crate::source::{Fragment, Span};

/// A document's outline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// The YAML between the first two `---` lines.
    pub front_matter: Option<Fragment>,
    /// The first heading that is not a section's.
    pub title: Option<Heading>,
    /// The sections, in the order of the text.
    pub sections: Vec<Section>,
    /// The fenced blocks whose info string asks for a machine.
    pub blocks: Vec<Fenced>,
}

/// A heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Its text.
    pub text: String,
    /// Its place.
    pub span: Span,
    /// 1 to 6.
    pub level: u8,
}

/// A section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Which one.
    pub kind: SectionKind,
    /// Its heading.
    pub heading: Heading,
    /// From after the heading to the next section.
    pub body: Span,
    /// Its prose: everything but machine-read blocks.
    pub prose: String,
    /// Items of its outermost lists.
    pub bullets: Vec<Span>,
}

/// A machine-read block.
#[derive(Clone, Debug, PartialEq)]
pub struct Fenced {
    /// The info string.
    pub info: String,
    /// The line of the info string.
    pub span: Span,
    /// The section that it stands in.
    pub section: Option<SectionKind>,
    /// What it holds.
    pub content: Fragment,
}

/// Reads the outline; any text has one.
pub fn outline(text: &str) -> Outline {
    let (front_matter, body_at) = front_matter(text);
    let mut walk = Walk {
        text,
        outline: Outline { front_matter, ..Outline::default() },
        heading: None,
        fence: None,
        list_depth: 0,
    };
    let body = text.get(body_at..).unwrap_or("");
    for (event, range) in Parser::new_ext(body, Options::ENABLE_TABLES).into_offset_iter() {
        walk.accept(event, range.start + body_at..range.end + body_at);
    }
    if let Some(last) = walk.outline.sections.last_mut() {
        last.body.end = text.len();
    }
    walk.outline
}

/// Cuts the front matter off: what it holds, and where the rest begins.
fn front_matter(text: &str) -> (Option<Fragment>, usize) {
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return (None, 0) };
    let start = first.len();
    let mut at = start;
    for line in lines {
        if line.trim_end() == "---" {
            let mut fragment = Fragment::starting_at(start);
            fragment.push(text.get(start..at).unwrap_or(""), start);
            return (Some(fragment), at + line.len());
        }
        at += line.len();
    }
    (None, 0)
}

struct Walk<'a> {
    text: &'a str,
    outline: Outline,
    heading: Option<Heading>,
    fence: Option<Fenced>,
    list_depth: usize,
}

impl Walk<'_> {
    fn accept(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let level = u8::try_from(level as usize).unwrap_or(u8::MAX);
                self.heading = Some(Heading { text: String::new(), span: Span::new(range), level });
            }
            Event::End(TagEnd::Heading(_)) => self.end_heading(),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if is_for_machines(&info) => {
                self.fence = Some(self.fence(info.trim(), range));
            }
            Event::End(TagEnd::CodeBlock) => match self.fence.take() {
                Some(fence) => self.outline.blocks.push(fence),
                None => self.prose("\n"),
            },
            Event::Start(Tag::List(_)) => self.list_depth += 1,
            Event::End(TagEnd::List(_)) => self.list_depth = self.list_depth.saturating_sub(1),
            Event::Start(Tag::Item) if self.list_depth == 1 => {
                if let Some(section) = self.outline.sections.last_mut() {
                    section.bullets.push(Span::new(range));
                }
            }
            Event::Text(text) | Event::Code(text) => self.text(&text, range),
            Event::SoftBreak | Event::HardBreak => self.prose(" "),
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead) => {
                self.prose("\n");
            }
            _ => {}
        }
    }

    fn fence(&self, info: &str, range: Range<usize>) -> Fenced {
        let first_line = self.text.get(range.clone()).and_then(|block| block.lines().next()).unwrap_or("");
        let content_at = (range.start + first_line.len() + 1).min(range.end);
        Fenced {
            info: info.to_owned(),
            span: Span { start: range.start, end: range.start + first_line.len() },
            section: self.outline.sections.last().map(|section| section.kind),
            content: Fragment::starting_at(content_at),
        }
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        if let Some(fence) = &mut self.fence {
            // Line breaks of CRLF texts and tabs come out changed; then the place is only the line's.
            fence.content.push(text, range.start);
        } else if let Some(heading) = &mut self.heading {
            heading.text.push_str(text);
        } else {
            self.prose(text);
        }
    }

    fn prose(&mut self, text: &str) {
        if self.fence.is_none()
            && let Some(section) = self.outline.sections.last_mut()
        {
            section.prose.push_str(text);
        }
    }

    fn end_heading(&mut self) {
        let Some(heading) = self.heading.take() else { return };
        let Some(kind) = SectionKind::by_heading(&heading.text) else {
            self.prose(&format!("{}\n", heading.text));
            if self.outline.title.is_none() && self.outline.sections.is_empty() {
                self.outline.title = Some(heading);
            }
            return;
        };
        if let Some(last) = self.outline.sections.last_mut() {
            last.body.end = heading.span.start;
        }
        let body = Span::at(heading.span.end);
        self.outline.sections.push(Section {
            kind,
            heading,
            body,
            prose: String::new(),
            bullets: Vec::new(),
        });
    }
}

/// Whether a block is read by the program: its info string begins with `yaml` or `jsonl`.
fn is_for_machines(info: &str) -> bool {
    let word = info.split_whitespace().next().unwrap_or("").to_ascii_lowercase();
    ["yaml", "yml", "jsonl"].contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---\nads: 1\n---\n# Title\n\n## Goal\nFind *it*.\n\n## Validation (x)\n1. act\n   - sub\n2. see\n\n   ```yaml emulation\n   id: a\n   ```\n\n```bash\nrm\n```\n";

    #[test]
    fn sections_blocks_and_bullets_are_found_with_their_places() {
        let outline = outline(TEXT);
        assert_eq!(outline.front_matter.unwrap().text, "ads: 1\n");
        assert_eq!(outline.title.unwrap().text, "Title");
        let kinds: Vec<_> = outline.sections.iter().map(|section| section.kind).collect();
        assert_eq!(kinds, [SectionKind::Goal, SectionKind::Validation]);
        assert_eq!(outline.sections[0].prose.trim(), "Find it.");
        assert_eq!(outline.sections[1].bullets.len(), 2);
        assert!(outline.sections[1].prose.contains("rm"));
        let block = &outline.blocks[0];
        assert_eq!((block.info.as_str(), block.content.text.as_str()), ("yaml emulation", "id: a\n"));
        assert_eq!(TEXT.get(block.content.to_document(0)..).unwrap().get(..5), Some("id: a"));
    }

    #[test]
    fn front_matter_needs_both_lines() {
        assert!(outline("---\nads: 1\n").front_matter.is_none());
        assert!(outline("# T\n---\nads: 1\n---\n").front_matter.is_none());
        assert!(outline("").sections.is_empty());
    }
}
