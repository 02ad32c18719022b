//! A transmit-only run and what its peer received.

use super::{Dissection, Lab, Linerate, Receiver, RunResult, Tag, dissect};

/// Frames as they arrived, and what linerate says it sent.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) result: RunResult,
}

/// Runs a transmit-only flow file in a fresh lab.
#[track_caller]
pub(crate) fn transmit(flows: &str) -> Captured {
    transmit_in(&Lab::cable(), flows)
}

/// Runs a transmit-only flow file; all flows leave by west.
#[track_caller]
pub(crate) fn transmit_in(lab: &Lab, flows: &str) -> Captured {
    let receiver = Receiver::start(&lab.east);
    let result = Linerate::run(&lab.flow_file(flows)).exits(0).result();
    let frames = receiver.stop();
    let sent: u64 = result.flows().iter().map(|flow| flow.count("tx_frames")).sum();
    assert_eq!(frames.len() as u64, sent, "linerate's tx_frames against frames at the peer");
    lab.assert_nothing_attached();
    Captured { frames, result }
}

/// The same by a back end that is asked for, over one queue. A veth takes redirected frames
/// only while its peer polls.
#[track_caller]
pub(crate) fn transmit_by(backend: &str, flows: &str) -> Captured {
    let lab = Lab::cable_with_queues(1, 1);
    lab.east.command("ethtool", &["-K", &lab.east.interface, "gro", "on"]);
    let receiver = Receiver::start(&lab.east);
    let result =
        Linerate::start_with_backend(&lab.flow_file(flows), backend).wait().exits(0).result();
    let sent: u64 = result.flows().iter().map(|row| row.count("tx_frames")).sum();
    receiver.await_frames(sent as usize);
    let frames = receiver.stop();
    assert_eq!(frames.len() as u64, sent, "linerate's tx_frames against frames at the peer");
    Captured { frames, result }
}

impl Captured {
    /// Has tshark read the frames.
    #[track_caller]
    pub(crate) fn dissect(&self, fields: &[&str]) -> Dissection {
        dissect(&self.frames, fields)
    }

    /// Fails unless every frame is `headers` octets, incrementing octets and a tag, and
    /// the tags are of one stream, in sequence from 0 and with time going on.
    #[track_caller]
    pub(crate) fn assert_payload_and_tags(&self, headers: usize) -> &Self {
        let mut last: Option<Tag> = None;
        for (number, frame) in self.frames.iter().enumerate() {
            let tag = Tag::ending_at(frame, frame.len());
            assert_eq!(tag.sequence as usize, number, "sequence of frame {number}");
            if let Some(last) = last {
                assert_eq!((tag.magic, tag.stream), (last.magic, last.stream), "frame {number}");
                assert!(tag.time_ns >= last.time_ns, "time of frame {number} goes back");
            }
            last = Some(tag);
            let payload = &frame[headers..frame.len() - Tag::BYTES];
            let incrementing = payload.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1));
            assert!(incrementing, "payload of frame {number}: {payload:02x?}");
        }
        self
    }
}
