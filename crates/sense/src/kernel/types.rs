//! The running kernel's types (BTF), as the loader's relocation needs them.
//!
//! In: `/sys/kernel/btf/vmlinux`. Out: the same with the names of those structs, unions and enums blanked that the
//! programs never mention. Relocation compares the name of every kernel type with that of each of ours; without the
//! names that cannot match it takes a tenth of the time, and no type changes its number. What is not understood is
//! left as it is: only time is lost.
//!
//! Source: Documentation/bpf/btf.rst of Linux 6.18.

use std::{collections::HashSet, fs};

use aya::{Btf, EbpfError};
use object::{Endianness, Object, ObjectSection};

use super::{Error, loader::OBJECT};

const KERNEL: &str = "/sys/kernel/btf/vmlinux";
const MAGIC: u16 = 0xeb9f;
/// Bytes of a type before what its kind adds: name, info, size or type.
const TYPE: usize = 12;

/// The kernel's types.
///
/// # Errors
/// The file cannot be read or is no BTF.
pub(super) fn of_kernel() -> Result<Btf, Error> {
    let path = std::path::PathBuf::from(KERNEL);
    let mut bytes = fs::read(&path).map_err(|source| Error::Read { path, source })?;
    let own = object::File::parse(OBJECT).ok();
    let own = own.as_ref().and_then(|object| object.section_by_name(".BTF")?.data().ok());
    if let Some(names) = own.and_then(struct_names) {
        blank_others(&mut bytes, &names);
    }
    Btf::parse(&bytes, Endianness::default()).map_err(|e| Error::Object(Box::new(EbpfError::from(e))))
}

/// Where the parts of a BTF blob lie.
struct Layout {
    types: std::ops::Range<usize>,
    strings: usize,
}

impl Layout {
    fn of(btf: &[u8]) -> Option<Self> {
        let header = u32_at(btf, 4)? as usize;
        let at = |offset| Some(header + u32_at(btf, offset)? as usize);
        let begin = at(8)?;
        let known = u16::from_ne_bytes(btf.get(..2)?.try_into().ok()?) == MAGIC;
        known.then_some(Self { types: begin..begin + u32_at(btf, 12)? as usize, strings: at(16)? })
    }
}

/// A struct, union or enum: the place of its name's offset, and the name up to its flavour.
struct Named {
    at: usize,
    name: std::ops::Range<usize>,
}

/// The named structs, unions and enums of a blob; `None` where a type is of an unknown kind.
fn named(btf: &[u8]) -> Option<Vec<Named>> {
    let layout = Layout::of(btf)?;
    let mut found = Vec::new();
    let mut at = layout.types.start;
    while at < layout.types.end {
        let (name, info) = (u32_at(btf, at)? as usize, u32_at(btf, at + 4)?);
        let members = (info & 0xffff) as usize;
        let kind = info >> 24 & 0x1f;
        let (is_record, extra) = match kind {
            1 | 14 | 17 => (false, 4),
            2 | 7..=12 | 16 | 18 => (false, 0),
            3 => (false, 12),
            4 | 5 | 19 => (true, members * 12),
            6 => (true, members * 8),
            13 => (false, members * 8),
            15 => (false, members * 12),
            _ => return None,
        };
        if is_record && name != 0 {
            let start = layout.strings + name;
            let text = btf.get(start..)?;
            let len = text.iter().position(|byte| *byte == 0)?;
            let len = text.get(..len)?.windows(3).position(|part| part == b"___").unwrap_or(len);
            found.push(Named { at, name: start..start + len });
        }
        at += TYPE + extra;
    }
    Some(found)
}

fn struct_names(btf: &[u8]) -> Option<HashSet<Vec<u8>>> {
    let found = named(btf)?;
    found.into_iter().map(|record| btf.get(record.name).map(<[u8]>::to_vec)).collect()
}

fn blank_others(btf: &mut [u8], names: &HashSet<Vec<u8>>) {
    for record in named(btf).unwrap_or_default() {
        let is_needed = btf.get(record.name).is_some_and(|name| names.contains(name));
        if !is_needed && let Some(name) = btf.get_mut(record.at..record.at + 4) {
            name.fill(0);
        }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A blob of structs without members, and one type of another kind behind them.
    fn blob(names: &[&str], last_kind: u32) -> Vec<u8> {
        let (mut types, mut strings) = (Vec::new(), vec![0_u8]);
        let mut add = |name: u32, kind: u32| {
            types.extend([name, kind << 24, 0].into_iter().flat_map(u32::to_ne_bytes));
        };
        for name in names {
            add(u32::try_from(strings.len()).unwrap(), 4);
            strings.extend(name.bytes().chain([0]));
        }
        add(0, last_kind);
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        let (types_len, strings_len) = (types.len() as u32, strings.len() as u32);
        bytes.extend([24, 0, types_len, types_len, strings_len].into_iter().flat_map(u32::to_ne_bytes));
        bytes.extend(types);
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn only_names_that_can_match_stay() {
        let own = struct_names(&blob(&["task_struct", "inode___2023"], 2)).unwrap();
        let mut kernel = blob(&["task_struct", "inode", "inode_operations", "task_struct___other"], 2);
        blank_others(&mut kernel, &own);
        let left: Vec<_> = named(&kernel).unwrap().into_iter().map(|n| kernel[n.name].to_vec()).collect();
        assert_eq!(left, [b"task_struct".to_vec(), b"inode".to_vec(), b"task_struct".to_vec()]);
    }

    #[test]
    fn what_is_not_understood_is_left_alone() {
        let names = HashSet::new();
        for bytes in [blob(&["a"], 31), b"nonsense".to_vec(), Vec::new()] {
            let mut changed = bytes.clone();
            blank_others(&mut changed, &names);
            assert_eq!(changed, bytes);
        }
    }

    #[test]
    fn the_object_names_the_types_that_its_programs_read() {
        let object = object::File::parse(OBJECT).unwrap();
        let names = struct_names(object.section_by_name(".BTF").unwrap().data().unwrap()).unwrap();
        for name in ["task_struct", "cgroup", "inode", "sock_common"] {
            assert!(names.contains(name.as_bytes()), "{name}");
        }
    }
}
