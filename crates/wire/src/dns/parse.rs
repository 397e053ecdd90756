//! Message, sections, records and the TCP framing.

use super::{
    Error, Header, MAX_NAME_BYTES, MAX_QUESTIONS, MAX_RECORDS, Message, Question, Record, RecordData,
    RecordType, name,
};
use crate::bytes::Reader;

/// Reads one message, without TCP's length prefix.
///
/// ```
/// let query = [
///     0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, // id, flags, counts
///     2, b'c', b'2', 4, b't', b'e', b's', b't', 0, 0, 1, 0, 1, // c2.test A IN
/// ];
/// let message = wire::dns::parse(&query)?;
/// assert_eq!(message.questions[0].name, "c2.test");
/// # Ok::<(), wire::dns::Error>(())
/// ```
///
/// # Errors
/// When the header or a question is cut or malformed. What goes wrong later is in
/// [`Message::incomplete`].
pub fn parse(message: &[u8]) -> Result<Message<'_>, Error> {
    let cut = || Error::Truncated { part: "header", offset: message.len() };
    let mut reader = Reader::new(message);
    let id = reader.u16().ok_or_else(cut)?;
    let flags = reader.u16().ok_or_else(cut)?;
    let questions = reader.length_u16().ok_or_else(cut)?;
    let mut counts = [0usize; 3];
    for count in &mut counts {
        *count = usize::from(reader.u16().ok_or_else(cut)?);
    }
    let questions = questions.at_most(MAX_QUESTIONS).map_err(|count| Error::Questions { count })?;

    let mut cursor = Cursor { message, position: reader.position() };
    let mut parsed = Message {
        header: Header { id, flags },
        questions: (0..questions).map(|_| cursor.question()).collect::<Result<_, _>>()?,
        answers: Vec::new(),
        authorities: Vec::new(),
        additionals: Vec::new(),
        trailing_bytes: 0,
        incomplete: None,
    };
    match read_sections(&mut cursor, counts, &mut parsed) {
        Ok(()) => parsed.trailing_bytes = message.len().saturating_sub(cursor.position),
        Err(error) => parsed.incomplete = Some(error),
    }
    Ok(parsed)
}

/// Fills the three record sections until their counts, the record limit or an error.
fn read_sections<'a>(
    cursor: &mut Cursor<'a>,
    counts: [usize; 3],
    parsed: &mut Message<'a>,
) -> Result<(), Error> {
    let mut left = MAX_RECORDS;
    let sections = [&mut parsed.answers, &mut parsed.authorities, &mut parsed.additionals];
    for (count, section) in counts.into_iter().zip(sections) {
        for _ in 0..count {
            if left == 0 {
                return Err(Error::Records { count: counts.iter().sum() });
            }
            left -= 1;
            section.push(cursor.record()?);
        }
    }
    Ok(())
}

/// A place in a message. Unlike [`Reader`] it can read names, which look back at earlier bytes.
struct Cursor<'a> {
    message: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    fn reader(&self) -> Reader<'a> {
        Reader::at(self.message, self.position)
    }

    fn name(&mut self) -> Result<String, Error> {
        let (name, after) = name::read(self.message, self.position)?;
        self.position = after;
        Ok(name)
    }

    fn question(&mut self) -> Result<Question, Error> {
        let offset = self.position;
        let cut = || Error::Truncated { part: "question", offset };
        let name = self.name()?;
        let mut reader = self.reader();
        let rtype = RecordType(reader.u16().ok_or_else(cut)?);
        let class = reader.u16().ok_or_else(cut)?;
        self.position = reader.position();
        Ok(Question { name, rtype, class })
    }

    fn record(&mut self) -> Result<Record<'a>, Error> {
        let offset = self.position;
        let cut = || Error::Truncated { part: "record", offset };
        let name = self.name()?;
        let mut reader = self.reader();
        let rtype = RecordType(reader.u16().ok_or_else(cut)?);
        let class = reader.u16().ok_or_else(cut)?;
        let ttl_s = reader.u32().ok_or_else(cut)?;
        let len_bytes = reader.length_u16().ok_or_else(cut)?;
        let len_bytes = len_bytes.at_most(reader.remaining()).map_err(|_| cut())?;
        let start = reader.position();
        let data = reader.take(len_bytes).ok_or_else(cut)?;
        self.position = reader.position();
        let data = Rdata { message: self.message, start, data }.decode(rtype)?;
        Ok(Record { name, rtype, class, ttl_s, data })
    }
}

/// The data of one record; names inside may point back into the message.
struct Rdata<'a> {
    message: &'a [u8],
    start: usize,
    data: &'a [u8],
}

impl<'a> Rdata<'a> {
    fn decode(&self, rtype: RecordType) -> Result<RecordData<'a>, Error> {
        let mut fixed = Reader::new(self.data);
        let misfit = || self.misfit(rtype);
        Ok(match rtype {
            RecordType::A => RecordData::A(self.whole::<4>(rtype)?.into()),
            RecordType::AAAA => RecordData::Aaaa(self.whole::<16>(rtype)?.into()),
            RecordType::CNAME => RecordData::Cname(self.last_name(0, rtype)?),
            RecordType::NS => RecordData::Ns(self.last_name(0, rtype)?),
            RecordType::PTR => RecordData::Ptr(self.last_name(0, rtype)?),
            RecordType::MX => RecordData::Mx {
                preference: fixed.u16().ok_or_else(misfit)?,
                exchange: self.last_name(2, rtype)?,
            },
            RecordType::TXT => RecordData::Txt(self.strings().ok_or_else(misfit)?),
            RecordType::SRV => RecordData::Srv {
                priority: fixed.u16().ok_or_else(misfit)?,
                weight: fixed.u16().ok_or_else(misfit)?,
                port: fixed.u16().ok_or_else(misfit)?,
                target: self.last_name(6, rtype)?,
            },
            RecordType::SOA => self.soa()?,
            RecordType::SVCB | RecordType::HTTPS => {
                let priority = fixed.u16().ok_or_else(misfit)?;
                let (target, after) = self.name(2, rtype)?;
                RecordData::Svcb { priority, target, parameters: self.data.get(after..).ok_or_else(misfit)? }
            }
            _ => RecordData::Raw(self.data),
        })
    }

    fn misfit(&self, rtype: RecordType) -> Error {
        Error::RecordLength { offset: self.start, rtype, len_bytes: self.data.len() }
    }

    /// Data that is exactly `N` bytes.
    fn whole<const N: usize>(&self, rtype: RecordType) -> Result<[u8; N], Error> {
        self.data.try_into().map_err(|_| self.misfit(rtype))
    }

    /// The name at `offset` in the data, and the offset after it; it must end inside the data.
    fn name(&self, offset: usize, rtype: RecordType) -> Result<(String, usize), Error> {
        let end = self.start + self.data.len();
        let visible = self.message.get(..end).unwrap_or(self.message);
        let (name, after) = match name::read(visible, self.start + offset) {
            Err(Error::Truncated { .. }) => return Err(self.misfit(rtype)),
            other => other?,
        };
        Ok((name, after - self.start))
    }

    /// The name at `offset`, which must be the last thing in the data.
    fn last_name(&self, offset: usize, rtype: RecordType) -> Result<String, Error> {
        let (name, after) = self.name(offset, rtype)?;
        if after == self.data.len() { Ok(name) } else { Err(self.misfit(rtype)) }
    }

    fn soa(&self) -> Result<RecordData<'a>, Error> {
        let rtype = RecordType::SOA;
        let (primary, after) = self.name(0, rtype)?;
        let (mailbox, after) = self.name(after, rtype)?;
        let serial = Reader::at(self.data, after).u32().ok_or_else(|| self.misfit(rtype))?;
        Ok(RecordData::Soa { primary, mailbox, serial })
    }

    /// The length-prefixed strings of a TXT record; `None` if the last one is cut.
    fn strings(&self) -> Option<Vec<&'a [u8]>> {
        let mut reader = Reader::new(self.data);
        let mut strings = Vec::new();
        while reader.remaining() > 0 {
            let len_bytes = reader.length_u8()?.at_most(MAX_NAME_BYTES).ok()?;
            strings.push(reader.take(len_bytes)?);
        }
        Some(strings)
    }
}

/// The front of a TCP stream of DNS messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole message, and the stream after it.
    Whole {
        /// For [`parse`].
        message: &'a [u8],
        /// The next frames.
        rest: &'a [u8],
    },
    /// More bytes are needed.
    Partial {
        /// What is there of the message.
        message: &'a [u8],
        /// How many bytes are missing; at least 1, at most 65,537.
        missing_bytes: usize,
    },
}

/// Splits the first message off a TCP stream, RFC 1035 §4.2.2: two bytes of length, then the message.
pub fn split_frame(stream: &[u8]) -> Frame<'_> {
    let mut reader = Reader::new(stream);
    let Some(len_bytes) = reader.u16().map(usize::from) else {
        return Frame::Partial { message: &[], missing_bytes: 2 - stream.len() };
    };
    let body = stream.get(2..).unwrap_or_default();
    match body.split_at_checked(len_bytes) {
        Some((message, rest)) => Frame::Whole { message, rest },
        None => Frame::Partial { message: body, missing_bytes: len_bytes - body.len() },
    }
}
