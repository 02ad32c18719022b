//! Flows whose frames have the headers of captured ones.
//!
//! Frames of one conversation are a flow, and so are conversations that differ in one field
//! only. What differs from frame to frame is a list or a range in the order of the capture, so
//! that frame i of a flow has the headers of its i-th captured frame. Each flow is held against
//! the capture before it is answered.

mod stack;

use crate::{
    packet::{Cursor, Mac, NextHop, Program, Recording, TagStamp},
    spec::Spec,
    units::{FCS_BYTES, FrameSize},
};
use serde_json::{Value, json};
use stack::{Field, Kind, Stack};
use std::{collections::HashMap, fmt::Write as _, sync::Arc};

/// Frames of a conversation whose headers a flow repeats.
const FRAMES_MOST: usize = 4096;
/// Frames of a flow that are held against the capture.
const CHECKED_MOST: usize = 256;

/// What a capture came to.
#[derive(Debug)]
pub(super) struct Captured {
    /// The shape of a flow file; its ports are `west` and `east`, whatever these are.
    pub(super) spec: Value,
    /// Frames of the capture that the flows stand for.
    pub(super) frames: usize,
    /// What the flows do not have.
    pub(super) notes: Vec<String>,
}

/// Frames that become one flow, by their index in the capture.
type Group = Vec<usize>;

/// At most `limit` flows, those with the first frames.
pub(super) fn flows(recording: &Recording, limit: usize) -> Captured {
    let fits = |frame: &[u8]| FrameSize::new(size(frame)).is_some();
    let (kept, large): (Vec<usize>, Vec<usize>) =
        (0..recording.len()).partition(|index| fits(recording.frame(*index)));
    let stacks: HashMap<usize, Stack> =
        kept.iter().map(|index| (*index, Stack::of(recording.frame(*index)))).collect();
    let mut maker =
        Maker { recording, stacks, limit, flows: Vec::new(), frames: 0, notes: Vec::new() };
    maker.notes.push(
        "payloads are not kept and checksums are computed anew; `replay` sends a capture as it is"
            .to_owned(),
    );
    if !large.is_empty() {
        maker.notes.push(format!(
            "{} frames are longer than {} octets and left out",
            large.len(),
            FrameSize::MAX
        ));
    }
    if recording.padded() > 0 {
        maker.notes.push(format!(
            "{} frames were short or captured in part, and are filled up with zeros",
            recording.padded()
        ));
    }
    let mut left_out = 0;
    for group in maker.merged(&maker.conversations(&kept)) {
        left_out += maker.make(&group);
    }
    if left_out > 0 {
        maker.notes.push(format!(
            "{left_out} frames are left out: they would make more than {limit} flows"
        ));
    }
    let Maker { flows, frames, notes, .. } = maker;
    Captured { spec: json!({"flow": flows}), frames, notes }
}

/// Octets with FCS, as far as a number of 16 bits tells.
fn size(frame: &[u8]) -> u16 {
    u16::try_from(frame.len()).unwrap_or(u16::MAX).saturating_add(FCS_BYTES)
}

struct Maker<'a> {
    recording: &'a Recording,
    stacks: HashMap<usize, Stack>,
    limit: usize,
    flows: Vec<Value>,
    frames: usize,
    notes: Vec<String>,
}

impl Maker<'_> {
    /// Frames with the same layers and the same telling fields, in order of their first.
    fn conversations(&self, frames: &[usize]) -> Vec<Group> {
        grouped(frames.iter().map(|index| (key(&self.stacks[index], None), vec![*index])))
    }

    /// Conversations of one shape that differ in no more than one field, the same for all.
    fn merged(&self, groups: &[Group]) -> Vec<Group> {
        let fields = groups.iter().map(|group| telling(&self.stacks[&group[0]])).max().unwrap_or(0);
        let by = |but: usize| {
            let one = |group: &Group| (key(&self.stacks[&group[0]], Some(but)), group.clone());
            grouped(groups.iter().map(one))
        };
        let mut merged =
            (0..fields).map(by).min_by_key(Vec::len).unwrap_or_else(|| groups.to_vec());
        for group in &mut merged {
            group.sort_unstable();
        }
        merged
    }

    /// Makes one flow of a group, or several where one cannot say it; returns how many frames
    /// there was no room for.
    fn make(&mut self, group: &Group) -> usize {
        if self.flows.len() >= self.limit {
            return group.len();
        }
        if let Some(flow) = self.flow(group) {
            self.add(flow, group);
            return 0;
        }
        let conversations = self.conversations(group);
        if conversations.len() > 1 {
            return conversations.iter().map(|group| self.make(group)).sum();
        }
        for index in group {
            self.stacks.insert(*index, Stack::coarse(self.recording.frame(*index)));
        }
        let same = self.conversations(group);
        self.notes.push(format!(
            "frame {} has headers that no layer can say: they are octets behind Ethernet",
            group[0] + 1
        ));
        let mut left_out = 0;
        for group in same {
            match self.flow(&group).filter(|_| self.flows.len() < self.limit) {
                Some(flow) => self.add(flow, &group),
                None => left_out += group.len(),
            }
        }
        left_out
    }

    fn add(&mut self, flow: Value, group: &Group) {
        let name = flow["name"].as_str().unwrap_or_default();
        if flow["track"] == "none" {
            self.notes
                .push(format!("flow \"{name}\" has no room for a tag: it is sent, not measured"));
        }
        if group.len() > FRAMES_MOST {
            self.notes.push(format!(
                "flow \"{name}\" repeats the first {FRAMES_MOST} of its {} frames",
                group.len()
            ));
        }
        self.frames += group.len();
        self.flows.push(flow);
    }

    /// The flow of a group, with a tag if there is room; `None`: it would not be the same.
    fn flow(&self, group: &Group) -> Option<Value> {
        let shown = &group[..group.len().min(FRAMES_MOST)];
        ["tag", "none"].into_iter().find_map(|track| {
            let flow = self.written(shown, track);
            self.is_same(&flow, shown).then_some(flow)
        })
    }

    fn written(&self, group: &[usize], track: &str) -> Value {
        let first = &self.stacks[&group[0]];
        let layers: Vec<_> = (0..first.layers.len())
            .map(|at| {
                first.layers[at].json(|field| {
                    let values = group.iter().map(|index| {
                        let layer = &self.stacks[index].layers[at];
                        let same = layer.fields.iter().find(|other| other.name == field.name);
                        same.map_or(Value::Null, |field| field.value.clone())
                    });
                    one_or_all(values.collect())
                })
            })
            .collect();
        let sizes = group.iter().map(|index| size(self.recording.frame(*index)).into()).collect();
        let size = match one_or_all(sizes) {
            Value::Object(set) => set.get("list").cloned().unwrap_or(Value::Object(set)),
            one => one,
        };
        json!({
            "name": format!("{} {}", self.flows.len() + 1, first.innermost()),
            "tx": "west", "rx": "east", "rate": self.rate(group), "size": size, "track": track,
            "layers": layers,
        })
    }

    /// The mean of the capture, in whole frames a second.
    fn rate(&self, group: &[usize]) -> String {
        let times = self.recording.times_ns();
        let time_ns = times[group[group.len() - 1]] - times[group[0]];
        let gaps = group.len() as u64 - 1;
        let pps = u128::from(gaps) * 1_000_000_000 / u128::from(time_ns.max(1));
        format!("{}pps", if gaps == 0 { 1 } else { pps.clamp(1, 10_000_000) })
    }

    /// Whether the first frames have the headers of those that were captured.
    fn is_same(&self, flow: &Value, group: &[usize]) -> bool {
        const ANY: Mac = [2, 0, 0, 0, 0, 1];
        let Ok(spec) = Spec::from_json(&json!({"flow": [flow]}).into()) else { return false };
        let Some(Ok(program)) =
            spec.flows.first().map(|flow| Program::compile(flow, ANY, &NextHop::One(ANY)))
        else {
            return false;
        };
        let mut cursor = Cursor::new(Arc::new(program), 0, 1);
        let mut chunk = vec![0; cursor.program().max_frame_bytes()];
        group.iter().take(CHECKED_MOST).all(|index| {
            cursor.fill(&mut chunk);
            let stamp = TagStamp { magic: 0, stream: 0, sequence: 0, time_ns: 0 };
            let octets = cursor.write(&mut chunk, &stamp);
            let wanted = &self.stacks[index];
            let is_coarse = *wanted == Stack::coarse(self.recording.frame(*index));
            let made = &chunk[..octets];
            let made = if is_coarse { Stack::coarse(made) } else { Stack::of(made) };
            made == *wanted && octets == self.recording.frame(*index).len()
        })
    }
}

/// Groups of one key as one, in the order of the first.
fn grouped(items: impl Iterator<Item = (String, Group)>) -> Vec<Group> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (key, mut group) in items {
        if let Some(place) = places.get(&key) {
            groups[*place].append(&mut group);
        } else {
            places.insert(key, groups.len());
            groups.push(group);
        }
    }
    groups
}

/// Fields that tell conversations apart.
fn telling(stack: &Stack) -> usize {
    let fields = stack.layers.iter().flat_map(|layer| &layer.fields);
    fields.filter(|field| field.kind == Kind::Tells).count()
}

/// What frames of one flow have in common: all that does not change, but the telling field of
/// number `but`.
fn key(stack: &Stack, but: Option<usize>) -> String {
    let mut number = 0;
    let mut key = String::new();
    for layer in &stack.layers {
        key.push_str(layer.name);
        for Field { name, value, kind } in &layer.fields {
            let left_open = *kind == Kind::Tells && but == Some(number);
            number += usize::from(*kind == Kind::Tells);
            let shown = *kind == Kind::Fixed || *kind == Kind::Tells && !left_open;
            let shown = if shown { value.to_string() } else { String::new() };
            // Writing to a String cannot fail.
            let _ = write!(key, " {name}={shown}");
        }
        key.push(';');
    }
    key
}

/// One value, a range where the steps are even, else a list.
fn one_or_all(values: Vec<Value>) -> Value {
    if values.iter().all(|value| *value == values[0]) {
        return values.into_iter().next().unwrap_or_default();
    }
    let numbers: Option<Vec<i64>> = values.iter().map(Value::as_i64).collect();
    if let Some(numbers) = numbers
        && numbers.len() > 2
    {
        let step = numbers[1] - numbers[0];
        if step != 0 && numbers.windows(2).all(|pair| pair[1] - pair[0] == step) {
            let ends = format!("{}-{}", numbers[0], numbers[numbers.len() - 1]);
            return json!({"range": ends, "step": step});
        }
    }
    json!({"list": values})
}

#[cfg(test)]
mod tests;
