//! Loss, and how it is shown.

/// Frames that were sent and did not arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loss {
    /// Frames sent.
    pub sent: u64,
    /// Of them, frames that never arrived; at most `sent`.
    pub lost: u64,
}

impl Loss {
    /// What is missing of `sent` when `unique` arrived; never negative.
    pub fn of(sent: u64, unique: u64) -> Self {
        Self { sent, lost: sent.saturating_sub(unique) }
    }

    /// Share lost, 0 to 1; `None` when nothing was sent.
    pub fn ratio(self) -> Option<f64> {
        (self.sent > 0).then(|| self.lost as f64 / self.sent as f64)
    }

    /// Percentage lost, for people, without the sign. `0` and `100` stand for exactly
    /// none and exactly all; what would round to them is `<0.001` or `>99.999`.
    pub fn percent(self) -> String {
        let percent = self.ratio().unwrap_or(0.0) * 100.0;
        match self.lost {
            0 => "0".to_owned(),
            lost if lost >= self.sent => "100".to_owned(),
            _ if percent < 0.001 => "<0.001".to_owned(),
            _ if percent > 99.999 => ">99.999".to_owned(),
            _ => format!("{percent:.3}"),
        }
    }
}
