//! Just enough BTF to find fields of structs by name.
//!
//! abi.h is the one definition of what crosses the kernel border; xtask reads its
//! layout from the type information of the program itself (BTF,
//! Documentation/bpf/btf.rst) and so has no second one.

use anyhow::{Context as _, Result, bail};

const MAGIC: u16 = 0xeb9f;

/// The kinds that matter here, by their numbers in linux/btf.h.
mod kind {
    pub const INT: u32 = 1;
    pub const ARRAY: u32 = 3;
    pub const STRUCT: u32 = 4;
    pub const UNION: u32 = 5;
    pub const ENUM: u32 = 6;
    pub const TYPEDEF: u32 = 8;
    pub const VOLATILE: u32 = 9;
    pub const CONST: u32 = 10;
    pub const RESTRICT: u32 = 11;
    pub const FUNC_PROTO: u32 = 13;
    pub const VAR: u32 = 14;
    pub const DATASEC: u32 = 15;
    pub const DECL_TAG: u32 = 17;
    pub const TYPE_TAG: u32 = 18;
    pub const ENUM64: u32 = 19;
}

/// Type information: of an object file, or of a map in the kernel.
#[derive(Debug)]
pub struct Btf {
    types: Vec<Type>,
}

#[derive(Debug)]
struct Type {
    name: String,
    kind: u32,
    /// Size in octets, or the type referred to.
    size_or_type: u32,
    /// Of a struct, or the variables of a data section.
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    name: String,
    type_id: u32,
    /// In octets; bit fields do not cross our border.
    offset: u32,
}

/// Where a field is, in octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub offset: usize,
    pub size: usize,
    /// An array is shown as such, not as a number.
    pub is_integer: bool,
}

impl Btf {
    /// From the bytes of a .BTF section, of this machine's endianness.
    pub fn parse(data: &[u8]) -> Result<Self> {
        let u32_at = |at: usize| word(data, at);
        let magic = u16::from_ne_bytes([
            *data.first().context("empty BTF")?,
            *data.get(1).context("empty BTF")?,
        ]);
        if magic != MAGIC {
            bail!("not BTF of this machine's endianness");
        }
        let header = u32_at(4)? as usize;
        let (types_at, types_len) = (header + u32_at(8)? as usize, u32_at(12)? as usize);
        let (strings_at, strings_len) = (header + u32_at(16)? as usize, u32_at(20)? as usize);
        let strings =
            data.get(strings_at..strings_at + strings_len).context("BTF strings cut off")?;
        let records = data.get(types_at..types_at + types_len).context("BTF types cut off")?;

        // Type 0 is void.
        let mut types =
            vec![Type { name: "void".into(), kind: 0, size_or_type: 0, members: Vec::new() }];
        let mut at = 0;
        while at < records.len() {
            let (name, info, size_or_type) =
                (word(records, at)?, word(records, at + 4)?, word(records, at + 8)?);
            at += 12;
            let (kind, count) = (info >> 24 & 0x1f, (info & 0xffff) as usize);
            let bit_fields = info >> 31 == 1;
            let mut one =
                Type { name: string(strings, name), kind, size_or_type, members: Vec::new() };
            match kind {
                kind::STRUCT | kind::UNION => {
                    for i in 0..count {
                        let bits = word(records, at + i * 12 + 8)?;
                        let bits = if bit_fields { bits & 0x00ff_ffff } else { bits };
                        one.members.push(Member {
                            name: string(strings, word(records, at + i * 12)?),
                            type_id: word(records, at + i * 12 + 4)?,
                            offset: bits / 8,
                        });
                    }
                    at += count * 12;
                }
                kind::DATASEC => {
                    for i in 0..count {
                        let type_id = word(records, at + i * 12)?;
                        let offset = word(records, at + i * 12 + 4)?;
                        one.members.push(Member { name: String::new(), type_id, offset });
                    }
                    at += count * 12;
                }
                kind::ARRAY => {
                    // Element type and count; the index type in between does not matter.
                    let (type_id, count) = (word(records, at)?, word(records, at + 8)?);
                    one.members.push(Member { name: String::new(), type_id, offset: count });
                    at += 12;
                }
                kind::INT | kind::VAR | kind::DECL_TAG => at += 4,
                kind::ENUM | kind::FUNC_PROTO => at += count * 8,
                kind::ENUM64 => at += count * 12,
                _ => {}
            }
            types.push(one);
        }
        Ok(Self { types })
    }

    /// The fields of a struct by its name in C, in order.
    pub fn fields(&self, name: &str) -> Result<Vec<Field>> {
        let found = self.types.iter().find(|t| t.kind == kind::STRUCT && t.name == name);
        let found = found.with_context(|| format!("no struct {name} in the BTF"))?;
        found.members.iter().map(|member| self.field(member)).collect()
    }

    /// Size of a struct in octets.
    pub fn size_of(&self, name: &str) -> Result<usize> {
        let found = self.types.iter().find(|t| t.kind == kind::STRUCT && t.name == name);
        Ok(found.with_context(|| format!("no struct {name} in the BTF"))?.size_or_type as usize)
    }

    fn field(&self, member: &Member) -> Result<Field> {
        Ok(Field {
            name: member.name.clone(),
            offset: member.offset as usize,
            size: self.size(member.type_id)?,
            is_integer: matches!(self.resolved(member.type_id)?.kind, kind::INT | kind::ENUM),
        })
    }

    /// The type without typedefs and qualifiers.
    fn resolved(&self, mut id: u32) -> Result<&Type> {
        // A chain longer than this is a loop.
        for _ in 0..32 {
            let one = self.types.get(id as usize).with_context(|| format!("no BTF type {id}"))?;
            match one.kind {
                kind::TYPEDEF
                | kind::VOLATILE
                | kind::CONST
                | kind::RESTRICT
                | kind::TYPE_TAG
                | kind::VAR => {
                    id = one.size_or_type;
                }
                _ => return Ok(one),
            }
        }
        bail!("BTF type {id} refers to itself")
    }

    fn size(&self, id: u32) -> Result<usize> {
        let one = self.resolved(id)?;
        match (one.kind, one.members.first()) {
            (kind::ARRAY, Some(element)) => {
                Ok(self.size(element.type_id)? * element.offset as usize)
            }
            (kind::INT | kind::STRUCT | kind::UNION | kind::ENUM | kind::ENUM64, _) => {
                Ok(one.size_or_type as usize)
            }
            _ => Ok(8), // a pointer
        }
    }
}

impl Field {
    /// The number at this field of a struct's octets.
    pub fn read(&self, octets: &[u8]) -> Result<u64> {
        let slice = octets.get(self.offset..self.offset + self.size);
        let slice =
            slice.filter(|s| s.len() <= 8).with_context(|| format!("no number {}", self.name))?;
        let mut wide = [0; 8];
        let at = if cfg!(target_endian = "big") { 8 - slice.len() } else { 0 };
        wide[at..at + slice.len()].copy_from_slice(slice);
        Ok(u64::from_ne_bytes(wide))
    }

    /// Writes a number into this field of a struct's octets.
    pub fn write(&self, octets: &mut [u8], value: u64) -> Result<()> {
        let slice = octets.get_mut(self.offset..self.offset + self.size);
        let slice =
            slice.filter(|s| s.len() <= 8).with_context(|| format!("no number {}", self.name))?;
        let wide = value.to_ne_bytes();
        let at = if cfg!(target_endian = "big") { 8 - slice.len() } else { 0 };
        slice.copy_from_slice(&wide[at..at + slice.len()]);
        Ok(())
    }
}

fn word(data: &[u8], at: usize) -> Result<u32> {
    let slice = data.get(at..at + 4).context("BTF cut off")?;
    Ok(u32::from_ne_bytes([slice[0], slice[1], slice[2], slice[3]]))
}

fn string(strings: &[u8], at: u32) -> String {
    let rest = strings.get(at as usize..).unwrap_or_default();
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    String::from_utf8_lossy(&rest[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// struct pair { u32 a; const u64 b[2]; } by hand, as the format's document says.
    fn sample() -> Vec<u8> {
        let strings = b"\0u32\0u64\0pair\0a\0b\0";
        let types: &[u32] = &[
            1,
            kind::INT << 24,
            4,
            32, // 1: u32
            5,
            kind::INT << 24,
            8,
            64, // 2: u64
            0,
            kind::ARRAY << 24,
            0,
            5,
            1,
            2, // 3: const u64[2]
            9,
            kind::STRUCT << 24 | 2,
            24,
            14,
            1,
            0,
            16,
            3,
            64, // 4: pair
            0,
            kind::CONST << 24,
            2, // 5: const u64
        ];
        let mut data = Vec::new();
        data.extend(MAGIC.to_ne_bytes());
        data.extend([1, 0]);
        for part in [24, 0, types.len() as u32 * 4, types.len() as u32 * 4, strings.len() as u32] {
            data.extend(part.to_ne_bytes());
        }
        data.extend(types.iter().flat_map(|part| part.to_ne_bytes()));
        data.extend(strings);
        data
    }

    #[test]
    fn fields_are_found_where_the_compiler_put_them() {
        let btf = Btf::parse(&sample()).unwrap();
        let fields = btf.fields("pair").unwrap();
        assert_eq!(btf.size_of("pair").unwrap(), 24);
        assert_eq!((fields[0].name.as_str(), fields[0].offset, fields[0].size), ("a", 0, 4));
        assert_eq!((fields[1].name.as_str(), fields[1].offset, fields[1].size), ("b", 8, 16));
        assert!(fields[0].is_integer && !fields[1].is_integer);
        assert!(btf.fields("other").is_err());
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        let btf = Btf::parse(&sample()).unwrap();
        let field = &btf.fields("pair").unwrap()[0];
        let mut octets = [0; 24];
        field.write(&mut octets, 0x0102_0304).unwrap();
        assert_eq!(field.read(&octets).unwrap(), 0x0102_0304);
        assert!(field.read(&octets[..2]).is_err());
    }

    #[test]
    fn a_cut_off_section_is_an_error() {
        let whole = sample();
        for length in 0..whole.len() {
            assert!(Btf::parse(&whole[..length]).is_err(), "{length}");
        }
    }
}
