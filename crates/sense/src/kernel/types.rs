//! The running kernel's types (BTF), as the loader's relocation needs them.
//!
//! In: `/sys/kernel/btf/vmlinux`. Out: the same types under the same numbers, where those that the programs never mention
//! have lost what makes them long: structs, unions and enums their name and members, functions their parameters; and the
//! table ends after the last type that can be reached from one that is mentioned. Relocation looks at every kernel type for
//! each of ours, and the loader makes a list of the members of each. Records keep their kind, which members are compared
//! by; those without a name stay whole: they are parts of others. What is not understood is left as it is: only time and
//! memory are lost.
//!
//! Source: Documentation/bpf/btf.rst of Linux 6.18.

use std::{
    collections::{HashMap, HashSet},
    fs,
    ops::Range,
};

use aya::{Btf, EbpfError};
use object::{Endianness, Object, ObjectSection, ObjectSymbol};

use super::{Error, loader::OBJECT, programs::SYS_EXIT};

const KERNEL: &str = "/sys/kernel/btf/vmlinux";
const MAGIC: u16 = 0xeb9f;
/// Bytes of a type before what its kind adds: name, info, size or type.
const TYPE: usize = 12;
/// Where among them the kind and the number of members stand.
const INFO: usize = 4;
/// The bits of that for the number of members.
const MEMBERS: u32 = 0xffff;
/// Where the size, or the type that it leads to, stands.
const SIZE: usize = 8;

/// The kernel's types.
///
/// # Errors
/// The file cannot be read or is no BTF.
pub(super) fn of_kernel() -> Result<Btf, Error> {
    let path = std::path::PathBuf::from(KERNEL);
    let bytes = fs::read(&path).map_err(|source| Error::Read { path, source })?;
    let own = object::File::parse(OBJECT).ok();
    let own = own.as_ref().and_then(|object| object.section_by_name(".BTF")?.data().ok());
    let light = own.and_then(names).and_then(|names| lightened(&bytes, &names));
    Btf::parse(light.as_deref().unwrap_or(&bytes), Endianness::default())
        .map_err(|e| Error::Object(Box::new(EbpfError::from(e))))
}

/// Bytes of each function of our object, by its name.
pub(super) fn function_lengths() -> HashMap<String, u64> {
    let Ok(object) = object::File::parse(OBJECT) else { return HashMap::new() };
    let named = object.symbols().filter_map(|symbol| Some((symbol.name().ok()?.to_owned(), symbol.size())));
    named.collect()
}

/// Where the parts of a BTF blob lie.
struct Layout {
    types: Range<usize>,
    strings: Range<usize>,
}

impl Layout {
    fn of(btf: &[u8]) -> Option<Self> {
        let header = u32_at(btf, 4)? as usize;
        let range = |offset| {
            let begin = header + u32_at(btf, offset)? as usize;
            Some(begin..begin + u32_at(btf, offset + 4)? as usize)
        };
        let known = u16::from_ne_bytes(btf.get(..2)?.try_into().ok()?) == MAGIC;
        known.then_some(Self { types: range(8)?, strings: range(16)? })
    }
}

/// What matters of a type's kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Structs and unions: members of a name, a type and an offset each.
    Record,
    /// Enums, which lead to no type.
    Enum,
    /// Types of functions.
    Prototype,
    /// Pointers, names and qualifiers of one other type.
    Reference,
    /// Arrays.
    Array,
    Other,
}

/// One type of a blob.
struct Type<'b> {
    kind: Kind,
    /// Up to its flavour; empty where it has none.
    name: &'b [u8],
    bytes: &'b [u8],
}

/// The types of a blob, in their order; `None` where one is of an unknown kind.
fn types<'b>(btf: &'b [u8], layout: &Layout) -> Option<Vec<Type<'b>>> {
    let (types, strings) = (btf.get(layout.types.clone())?, btf.get(layout.strings.clone())?);
    let mut found = Vec::new();
    let mut at = 0;
    while at < types.len() {
        let (name, info) = (u32_at(types, at)? as usize, u32_at(types, at + INFO)?);
        let members = (info & MEMBERS) as usize;
        let (kind, extra) = match info >> 24 & 0x1f {
            1 | 14 | 17 => (Kind::Other, 4),
            2 | 8..=12 | 18 => (Kind::Reference, 0),
            7 | 16 => (Kind::Other, 0),
            3 => (Kind::Array, 12),
            4 | 5 => (Kind::Record, members * 12),
            6 => (Kind::Enum, members * 8),
            19 => (Kind::Enum, members * 12),
            13 => (Kind::Prototype, members * 8),
            15 => (Kind::Other, members * 12),
            _ => return None,
        };
        let bytes = types.get(at..at + TYPE + extra)?;
        let text = strings.get(name..)?;
        let text = text.get(..text.iter().position(|byte| *byte == 0)?)?;
        let len = text.windows(3).position(|part| part == b"___").unwrap_or(text.len());
        found.push(Type { kind, name: text.get(..len)?, bytes });
        at += bytes.len();
    }
    Some(found)
}

impl Type<'_> {
    /// Structs, unions and enums that have a name and are not in `names`.
    fn is_foreign(&self, names: &HashSet<Vec<u8>>) -> bool {
        matches!(self.kind, Kind::Record | Kind::Enum) && !self.name.is_empty() && !names.contains(self.name)
    }

    /// Numbers of the types that this one is made of.
    fn leads_to(&self) -> Vec<u32> {
        let at = |at: usize| u32_at(self.bytes, at).unwrap_or_default();
        match self.kind {
            Kind::Reference | Kind::Prototype => vec![at(SIZE)],
            Kind::Array => vec![at(TYPE), at(TYPE + 4)],
            Kind::Record => (TYPE..self.bytes.len()).step_by(12).map(|member| at(member + 4)).collect(),
            Kind::Enum | Kind::Other => Vec::new(),
        }
    }
}

/// Names that the programs mention: of records, and of the tracepoint whose arguments have types.
fn names(btf: &[u8]) -> Option<HashSet<Vec<u8>>> {
    let records = types(btf, &Layout::of(btf)?)?
        .into_iter()
        .filter(|one| matches!(one.kind, Kind::Record | Kind::Enum));
    let named = records.filter(|one| !one.name.is_empty()).map(|one| one.name.to_vec());
    Some(named.chain([format!("btf_trace_{SYS_EXIT}").into_bytes()]).collect())
}

/// How many of the `types` hold all that can be reached from one of `names`.
fn reachable(types: &[Type<'_>], names: &HashSet<Vec<u8>>) -> usize {
    let mut found = HashSet::new();
    // Numbers begin with 1; 0 is `void`.
    let mut left: Vec<usize> =
        (1..).zip(types).filter(|(_, one)| names.contains(one.name)).map(|(number, _)| number).collect();
    while let Some(number) = left.pop() {
        let Some(one) = number.checked_sub(1).and_then(|at| types.get(at)) else { continue };
        if found.insert(number) && !one.is_foreign(names) {
            left.extend(one.leads_to().into_iter().map(|number| number as usize));
        }
    }
    found.into_iter().max().unwrap_or_default()
}

/// The blob without names and members of records that are not in `names`, and without parameters.
fn lightened(btf: &[u8], names: &HashSet<Vec<u8>>) -> Option<Vec<u8>> {
    let layout = Layout::of(btf)?;
    let mut light = btf.get(..layout.types.start)?.to_vec();
    let types = types(btf, &layout)?;
    for one in types.iter().take(reachable(&types, names)) {
        let foreign = one.is_foreign(names);
        if !foreign && one.kind != Kind::Prototype {
            light.extend(one.bytes);
            continue;
        }
        let (name, info) = (u32_at(one.bytes, 0)?, u32_at(one.bytes, INFO)? & !MEMBERS);
        let name = if foreign { 0 } else { name };
        light.extend([name, info, u32_at(one.bytes, SIZE)?].into_iter().flat_map(u32::to_ne_bytes));
    }
    let types_len = u32::try_from(light.len() - layout.types.start).ok()?;
    let strings = btf.get(layout.strings.clone())?;
    light.extend(strings);
    // Where the strings begin, and how long the types are: the header's third and fourth number.
    let types_at = u32_at(btf, 8)?;
    for (at, value) in [(12, types_len), (16, types_at + types_len)] {
        light.get_mut(at..at + 4)?.copy_from_slice(&value.to_ne_bytes());
    }
    Some(light)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A blob of structs of one member each, and one type of another kind behind them.
    fn blob(names: &[&str], last: u32) -> Vec<u8> {
        let (mut types, mut strings) = (Vec::new(), vec![0_u8]);
        for name in names {
            let offset = if name.is_empty() { 0 } else { u32::try_from(strings.len()).unwrap() };
            types.extend([offset, 4 << 24 | 1, 8, 0, 1, 0]);
            if !name.is_empty() {
                strings.extend(name.bytes().chain([0]));
            }
        }
        types.extend([0, last, 0]);
        types.extend(vec![7; 2 * (last & MEMBERS) as usize]);
        let types: Vec<u8> = types.into_iter().flat_map(u32::to_ne_bytes).collect();
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        let (types_len, strings_len) = (types.len() as u32, strings.len() as u32);
        bytes.extend([24, 0, types_len, types_len, strings_len].into_iter().flat_map(u32::to_ne_bytes));
        bytes.extend(types);
        bytes.extend(strings);
        bytes
    }

    fn shape(btf: &[u8]) -> Vec<(&[u8], usize)> {
        let found = types(btf, &Layout::of(btf).unwrap()).unwrap();
        found.into_iter().map(|one| (one.name, one.bytes.len())).collect()
    }

    #[test]
    fn only_what_can_match_keeps_name_and_members() {
        let own = names(&blob(&["task_struct", "inode___2023"], 2 << 24)).unwrap();
        let prototype = 13 << 24 | 3;
        let kernel =
            blob(&["task_struct", "inode", "inode_operations", "", "task_struct___other"], prototype);
        let light = lightened(&kernel, &own).unwrap();
        let expected: [(&[u8], usize); 5] =
            [(b"task_struct", 24), (b"inode", 24), (b"", 12), (b"", 24), (b"task_struct", 24)];
        assert_eq!(shape(&light), expected, "and nothing behind what can be reached");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for bytes in [blob(&["a"], 31 << 24), b"nonsense".to_vec(), Vec::new()] {
            assert!(lightened(&bytes, &HashSet::new()).is_none());
        }
    }

    #[test]
    fn the_running_kernels_types_keep_their_numbers() {
        let Ok(kernel) = fs::read(KERNEL) else { return eprintln!("SKIPPED: this kernel gives no {KERNEL}") };
        let light = lightened(&kernel, &HashSet::from([b"task_struct".to_vec()])).unwrap();
        let (before, after) = (shape(&kernel), shape(&light));
        assert!(after.len() < before.len());
        let kept = before.iter().zip(&after).filter(|(_, after)| after.0 == b"task_struct");
        assert!(kept.clone().count() > 0 && kept.into_iter().all(|(before, after)| before == after));
        let found = types(&light, &Layout::of(&light).unwrap()).unwrap();
        let whole = found.iter().filter(|one| one.name == b"task_struct");
        let last = whole.flat_map(Type::leads_to).max().unwrap() as usize;
        assert!(last <= found.len(), "what it is made of is there");
        let types_bytes = |btf: &[u8]| Layout::of(btf).unwrap().types.len();
        assert!(types_bytes(&light) * 3 < types_bytes(&kernel) * 2);
    }
}
