//! Fields that a flow gives although they are usually computed.

use super::{
    PacketError,
    builder::{Builder, Place},
};
use crate::spec::{Content, HeaderField, Setting};

impl Builder {
    /// Lets the settings win over what the layers wrote.
    pub(super) fn apply(&mut self, settings: &[Setting]) -> Result<(), PacketError> {
        for Setting { layer, field, content } in settings {
            let place = place(self.starts[*layer], field);
            match content {
                Content::WrongChecksum => self
                    .checksums
                    .iter_mut()
                    .filter(|checksum| checksum.offset == place.offset)
                    .for_each(|checksum| checksum.wrong = true),
                Content::Values(values) => {
                    self.lengths.retain(|length| length.offset != place.offset);
                    self.checksums.retain(|checksum| checksum.offset != place.offset);
                    self.fields.retain(|other| other.place != place);
                    self.put(place, 0);
                    self.field(field.key, place, values)?;
                }
            }
        }
        Ok(())
    }
}

fn place(start: usize, field: &HeaderField) -> Place {
    let HeaderField { offset, width, shift, bits, .. } = *field;
    Place { offset: start + offset, width, shift, bits }
}
