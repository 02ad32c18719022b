//! Ethernet service activation (ITU-T Y.1564).
//!
//! ```text
//! ServiceSpec -> steps: 25 .. 100 % CIR, CIR + EIR, policing   each service alone
//!             -> performance                                  all services at CIR
//! ```
//!
//! Rates are information rates: L2 bits with FCS, so 100 Mbit/s of 64-octet frames are
//! 195,312.5 fps and 131.25 Mbit/s on the wire. Where frames exceed CIR only the rate is
//! judged, not loss and delay: services are tested as not colour-aware. Burst sizes (8.1.2 D)
//! are not searched for; they are the margin of the policing step.

mod availability;
mod judge;
mod outcome;
mod rates;
mod run;

pub use availability::Availability;
pub use outcome::{InformationRate, Measured, Outcome, ServiceOutcome, Step, StepOutcome, Verdict};
pub use run::{Y1564Error, estimate, run};

#[cfg(test)]
mod tests;
