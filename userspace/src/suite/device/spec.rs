//! The grammar of `--dut "sim:..."` (CONTRACT, suite file).

use crate::{
    spec::Frame,
    units::{Rate, Ratio, parse_duration, parse_link_speed},
};
use std::{ops::RangeInclusive, str::FromStr, time::Duration};

/// A simulated device: what stands behind `sim:`.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceSpec {
    /// Speed of both links.
    pub link_bps: u64,
    /// What it forwards; `None`: line rate.
    pub capacity: Option<Rate>,
    /// Frames that it holds at most, the one in service included.
    pub buffer: u64,
    /// What each frame takes beyond its wait in the queue.
    pub latency: Duration,
    /// The share of frames that are lost whatever the load.
    pub loss: f64,
    /// It stands still again and again.
    pub stall: Option<Stall>,
    /// The share of frames that come twice.
    pub duplicate: f64,
    /// The share of frames that are held back until another has passed.
    pub reorder: f64,
    /// What chance follows from.
    pub seed: u64,
}

/// A device stands still: for so long, each so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// How long.
    pub length: Duration,
    /// From the beginning of one to that of the next.
    pub period: Duration,
}

/// Why a text is no simulated device: one line that says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// No such key.
    #[error("simulated device: there is no `{key}`; allowed: {}", KEYS.join(", "))]
    Unknown {
        /// What stands before `=`.
        key: String,
    },
    /// A part without `=`.
    #[error("simulated device: `{part}` is no key=value; allowed: {}", KEYS.join(", "))]
    NoValue {
        /// The part.
        part: String,
    },
    /// A key comes again.
    #[error("simulated device: `{key}` is given twice; give it once")]
    Twice {
        /// Which.
        key: String,
    },
    /// No link.
    #[error("simulated device: `link` is missing; give its speed: link=10G")]
    NoLink,
    /// A value that cannot be.
    #[error("simulated device: {key} = `{value}`; allowed: {allowed}")]
    Value {
        /// Of which key.
        key: &'static str,
        /// What was given.
        value: String,
        /// What may stand there.
        allowed: &'static str,
    },
}

const KEYS: [&str; 9] =
    ["link", "capacity", "buffer", "latency", "loss", "stall", "duplicate", "reorder", "seed"];

/// Least and greatest buffer: with room for one frame only there is no queue.
const BUFFERS: RangeInclusive<u64> = 2..=1_000_000_000;

impl DeviceSpec {
    /// A device that forwards all that comes over a link of `link_bps`.
    pub fn on_link(link_bps: u64) -> Self {
        Self {
            link_bps,
            capacity: None,
            buffer: 1024,
            latency: Duration::ZERO,
            loss: 0.0,
            stall: None,
            duplicate: 0.0,
            reorder: 0.0,
            seed: 1,
        }
    }

    /// Frames a second that it forwards. A mix of sizes is served at the rate of its mean size,
    /// whatever the order of the sizes.
    pub fn capacity_fps(&self, frame: &Frame) -> Ratio {
        let capacity = self
            .capacity
            .and_then(|rate| rate.frames_per_second(self.link_bps, frame.mean_bytes()));
        capacity.unwrap_or_else(|| frame.line_rate_fps(self.link_bps))
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), DeviceError> {
        const SHARE: &str = "a share from 0 to 1: 1e-6, 1/1000, 0.1%";
        const CAPACITY: &str =
            "frames or L2 bits a second: 10Mpps, 500Mbps; at least 0.001pps, 1kbps";
        let share = |key| read(key, value, SHARE, share);
        match key {
            "link" => self.link_bps = read("link", value, "10G, 2.5G, 100M", parse_link_speed)?,
            "capacity" => self.capacity = Some(read("capacity", value, CAPACITY, capacity)?),
            "buffer" => {
                let frames = "frames, the one in service included: 2 to 1000000000";
                let buffer =
                    |text: &str| text.parse().ok().filter(|buffer| BUFFERS.contains(buffer));
                self.buffer = read("buffer", value, frames, buffer)?;
            }
            "latency" => {
                let latency = |text: &str| match text {
                    "0" => Some(Duration::ZERO),
                    text => parse_duration(text).filter(|latency| *latency <= LONGEST_LATENCY),
                };
                self.latency = read("latency", value, "a time up to 1000s: 10us, 0", latency)?;
            }
            "stall" => {
                let allowed = "a time and how often: 1ms/10s; at most nine tenths of a period, that at least 1ms";
                self.stall = Some(read("stall", value, allowed, stall)?);
            }
            "loss" => self.loss = share("loss")?,
            "duplicate" => self.duplicate = share("duplicate")?,
            "reorder" => self.reorder = share("reorder")?,
            "seed" => {
                self.seed = read("seed", value, "an integer from 0 on", |text| text.parse().ok())?;
            }
            _ => return Err(DeviceError::Unknown { key: key.to_owned() }),
        }
        Ok(())
    }
}

const LONGEST_LATENCY: Duration = Duration::from_secs(1_000);

/// With more stalls than this a trial would be simulated stall by stall for minutes.
const LEAST_STALL_PERIOD: Duration = Duration::from_millis(1);

impl FromStr for DeviceSpec {
    type Err = DeviceError;

    /// Reads what comes after `sim:`.
    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let (mut device, mut given) = (Self::on_link(0), Vec::new());
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(DeviceError::NoValue { part: part.to_owned() });
            };
            let key = key.trim();
            if given.contains(&key) {
                return Err(DeviceError::Twice { key: key.to_owned() });
            }
            device.set(key, value.trim())?;
            given.push(key);
        }
        if given.contains(&"link") { Ok(device) } else { Err(DeviceError::NoLink) }
    }
}

fn read<T>(
    key: &'static str,
    value: &str,
    allowed: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, DeviceError> {
    parse(value).ok_or_else(|| DeviceError::Value { key, value: value.to_owned(), allowed })
}

/// Devices slower than the least would make trials of centuries.
fn capacity(text: &str) -> Option<Rate> {
    let (least_bps, least_fps) = (1_000.into(), Ratio::new(1, 1_000));
    let rate: Rate = text.parse().ok()?;
    let fits = match rate {
        Rate::Frames(fps) => fps >= least_fps,
        Rate::L2Bits(bps) => bps >= least_bps,
        Rate::L1Bits(_) | Rate::LineShare(_) | Rate::Max => false,
    };
    fits.then_some(rate)
}

fn stall(text: &str) -> Option<Stall> {
    let (length, period) = text.split_once('/')?;
    let stall =
        Stall { length: parse_duration(length.trim())?, period: parse_duration(period.trim())? };
    let fits = !stall.length.is_zero()
        && stall.length * 10 <= stall.period * 9
        && stall.period >= LEAST_STALL_PERIOD;
    fits.then_some(stall)
}

/// `1e-6`, `1/1000`, `0.1%`.
fn share(text: &str) -> Option<f64> {
    let number = |text: &str| {
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b".eE-+".contains(&b));
        text.trim().parse::<f64>().ok().filter(|_| plain)
    };
    let share = match (text.split_once('/'), text.strip_suffix('%')) {
        (Some((part, whole)), _) => number(part)? / number(whole)?,
        (None, Some(percent)) => number(percent)? / 100.0,
        (None, None) => number(text)?,
    };
    (0.0..=1.0).contains(&share).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::FrameSize;
    use proptest::prelude::*;

    #[test]
    fn the_whole_grammar_is_read() {
        let text = "link=10G,capacity=10Mpps,buffer=1024,latency=10us,loss=1e-6,stall=1ms/10s,\
                    duplicate=1/1000,reorder=1/500,seed=7";
        let stall = Stall { length: Duration::from_millis(1), period: Duration::from_secs(10) };
        let expected = DeviceSpec {
            link_bps: 10_000_000_000,
            capacity: Some(Rate::Frames(10_000_000.into())),
            buffer: 1024,
            latency: Duration::from_micros(10),
            loss: 1e-6,
            stall: Some(stall),
            duplicate: 0.001,
            reorder: 0.002,
            seed: 7,
        };
        assert_eq!(text.parse(), Ok(expected));
        assert_eq!("link=1G, latency=0".parse(), Ok(DeviceSpec::on_link(1_000_000_000)));
    }

    #[test]
    fn capacity_counts_frames_or_their_octets() {
        let fps = |text: &str, bytes| {
            let frame = Frame::fixed(FrameSize::new(bytes).unwrap());
            text.parse::<DeviceSpec>().unwrap().capacity_fps(&frame)
        };
        assert_eq!(fps("link=10G,capacity=10Mpps", 1518), 10_000_000.into());
        assert_eq!(fps("link=10G,capacity=512Mbps", 64), 1_000_000.into());
        assert_eq!(fps("link=10G", 64), Ratio::new(312_500_000, 21));
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_can() {
        for (text, says) in [
            ("", "`link` is missing"),
            ("capacity=1Mpps", "`link` is missing"),
            ("link=10G,colour=red", "there is no `colour`; allowed: link, capacity"),
            ("link=10G,buffer", "`buffer` is no key=value"),
            ("link=10G,seed=1,seed=2", "`seed` is given twice"),
            ("link=fast", "link = `fast`; allowed: 10G"),
            ("link=10G,capacity=40%", "capacity = `40%`; allowed: frames or L2 bits"),
            ("link=10G,capacity=0pps", "capacity = `0pps`"),
            ("link=10G,capacity=0.0001pps", "at least 0.001pps"),
            ("link=10G,capacity=999bps", "1kbps"),
            ("link=10G,buffer=1", "buffer = `1`; allowed: frames"),
            ("link=10G,buffer=1e9", "buffer = `1e9`"),
            ("link=10G,latency=10", "latency = `10`; allowed: a time"),
            ("link=10G,loss=2", "loss = `2`; allowed: a share"),
            ("link=10G,loss=-1", "loss = `-1`"),
            ("link=10G,loss=nan", "loss = `nan`"),
            ("link=10G,loss=1/0", "loss = `1/0`"),
            ("link=10G,loss=0/0", "loss = `0/0`"),
            ("link=10G,stall=1ms", "stall = `1ms`; allowed: a time and how often"),
            ("link=10G,stall=10s/1s", "stall = `10s/1s`"),
            ("link=10G,stall=0s/1s", "stall = `0s/1s`"),
            ("link=10G,stall=1us/2us", "at least 1ms"),
            ("link=10G,stall=91ms/100ms", "at most nine tenths"),
            ("link=10G,seed=-1", "seed = `-1`"),
        ] {
            let error = text.parse::<DeviceSpec>().expect_err(text).to_string();
            assert!(error.starts_with("simulated device: ") && error.contains(says), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(link=1G,)?[a-z]{0,9}=?[-0-9.eGMkpsbu/%,=]{0,20}") {
            let _ = text.parse::<DeviceSpec>();
        }
    }
}
