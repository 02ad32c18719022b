//! Flags that override a flow file.

use super::{
    End, Spec,
    error::SpecError,
    flow,
    node::{Node, Value},
    port,
    quick::flag_place,
};
use crate::units::{Rate, Ratio, parse_percentage};
use std::sync::Arc;

/// What `linerate run FILE` takes beside the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--for 10s`: how long every flow runs, instead of its own end.
    pub duration: Option<String>,
    /// `--scale 50%`: of every rate.
    pub scale: Option<String>,
    /// `--port west=ens2f0`: another interface behind a name.
    pub ports: Vec<String>,
}

impl Spec {
    /// Applies flags over the file. Where it fails, the spec may be changed in part.
    pub fn apply(&mut self, overrides: &Overrides) -> Result<(), SpecError> {
        if let Some(text) = &overrides.duration {
            let node =
                Node { place: Arc::new(flag_place("--for")), value: Value::Text(text.clone()) };
            let end = End::After(flow::read_duration(&node)?);
            self.flows.iter_mut().for_each(|flow| flow.end = end);
        }
        if let Some(text) = &overrides.scale {
            self.scale(text)?;
        }
        overrides.ports.iter().try_for_each(|text| self.replace_port(text))?;
        // Only now: two of them may swap interfaces.
        self.ports.iter().enumerate().try_for_each(|(at, replaced)| {
            port::distinct(&self.ports[..at], &replaced.interface, &flag_place("--port"))
        })
    }

    fn scale(&mut self, text: &str) -> Result<(), SpecError> {
        let place = flag_place("--scale");
        let factor = parse_percentage(text).ok_or_else(|| {
            SpecError::invalid(
                &place,
                format!("\"{text}\" is no percentage"),
                "such as 50% or 12.5%, above 0",
            )
        })?;
        let scaled = |name: &str, rate: Rate| match rate.scaled(factor) {
            Some(Rate::LineShare(share)) if share > Ratio::ONE => Err(SpecError::invalid(
                &place,
                format!("flow \"{name}\" at {rate} would be over the line at {text}"),
                "rates of at most 100% after scaling",
            )),
            Some(rate) => Ok(rate),
            None if factor == Ratio::ONE => Ok(Rate::Max),
            None => Err(SpecError::invalid(
                &place,
                format!("flow \"{name}\" has rate \"max\", of which there is no share"),
                "a `rate` in the file, such as \"100%\"",
            )),
        };
        for flow in &mut self.flows {
            flow.rate = scaled(&flow.name, flow.rate)?;
            for step in &mut flow.schedule {
                step.rate = scaled(&flow.name, step.rate)?;
            }
        }
        Ok(())
    }

    fn replace_port(&mut self, text: &str) -> Result<(), SpecError> {
        let place = flag_place("--port");
        let names = self.ports.iter().map(|port| port.name.as_str()).collect::<Vec<_>>().join(", ");
        let (name, interface) = text.split_once('=').ok_or_else(|| {
            SpecError::invalid(
                &place,
                format!("\"{text}\" names no port"),
                format!("NAME=PORT, NAME one of {names}"),
            )
        })?;
        let interface = port::check_interface(interface, &place)?;
        let index = self.ports.iter().position(|port| port.name == name).ok_or_else(|| {
            SpecError::invalid(
                &place,
                format!("no flow uses a port `{name}`"),
                format!("one of {names}"),
            )
        })?;
        self.ports[index].interface = interface;
        Ok(())
    }
}
