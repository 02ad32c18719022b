//! Flows start, stop, pause and go on.

use super::{
    metrics,
    model::{FlowOrder, FlowTransmit, Warning},
    refusal::At,
    server::{Otg, Outcome},
    state::{Order, Run},
};
use crate::serve::engine::{Backend, Command, RunStart};

/// Intervals of few flows are short: clients wait for counts that are complete.
const INTERVAL_NS: u64 = 100_000_000;
const FEW_FLOWS: usize = 100;
/// Of many flows each interval costs.
const LONG_INTERVAL_NS: u64 = 1_000_000_000;

impl Otg {
    pub(super) async fn transmit(&self, transmit: &FlowTransmit, at: &At<'_>) -> Outcome<Warning> {
        let flows = {
            let state = self.state();
            let names = state.plan.flows.iter().map(|flow| flow.name.as_str());
            let at = at.key("flow_names");
            metrics::named(transmit.flow_names.as_deref(), names, "flow", &at)?
        };
        match transmit.state {
            FlowOrder::Start => return self.start(&flows, at).await,
            FlowOrder::Stop => self.stop(&flows).await?,
            FlowOrder::Pause => self.pause(&flows, Order::Pause).await?,
            FlowOrder::Resume => self.resume(&flows).await?,
        }
        Ok(Warning::default())
    }

    /// Flows that wait in the transmission that goes on join it; else it is ended, and one of
    /// the flows named and of those that were being sent begins.
    async fn start(&self, flows: &[usize], at: &At<'_>) -> Outcome<Warning> {
        if self.state().plan.flows.is_empty() {
            return Err(at.refuse("the configuration has no flows").into());
        }
        let waiting = self
            .state()
            .running()
            .is_some_and(|run| flows.iter().all(|&flow| run.flows[flow].order == Order::Wait));
        if waiting {
            self.order_resume(flows, &[Order::Wait]).await?;
            return Ok(Warning::default());
        }
        let interrupted: Vec<usize> = self.state().running().map_or_else(Vec::new, |run| {
            let sends =
                |flow: &usize| run.flows[*flow].order == Order::Send && !flows.contains(flow);
            (0..run.flows.len()).filter(sends).collect()
        });
        let warnings = (!interrupted.is_empty()).then(|| {
            "flows that were being sent start again too: a flow that was sent before joins them only in a new transmission".to_owned()
        });
        self.end_transmission().await?;
        let started: Vec<usize> = flows.iter().chain(&interrupted).copied().collect();
        let number = self.number();
        let start = {
            let state = self.state();
            let waits = |flow: &usize| !started.contains(flow);
            let name = |flow: usize| state.plan.flows[flow].name.clone();
            let captured = state.plan.captures.iter().flat_map(|capture| &capture.ports);
            let few = state.plan.flows.len() <= FEW_FLOWS;
            RunStart {
                run: number,
                spec: state.plan.spec.clone().unwrap_or_default().into(),
                held: (0..state.plan.flows.len()).filter(waits).map(name).collect(),
                listened: captured.map(|&port| state.plan.ports[port].interface.clone()).collect(),
                backend: Backend::Auto,
                interval_ns: if few { INTERVAL_NS } else { LONG_INTERVAL_NS },
                ..RunStart::default()
            }
        };
        {
            // Before the engine speaks of it, and cleared for the new one.
            let mut state = self.state();
            let run = Run::new(number, &state.plan.flows, |flow| !started.contains(&flow));
            state.run = Some(run);
        }
        let counts = {
            let plan = self.state().plan.clone();
            self.count(&plan).await
        };
        let begun = match counts {
            Ok(counts) => {
                for (port, count) in self.state().ports.iter_mut().zip(counts) {
                    (port.base, port.last) = (count, None);
                }
                self.engine.start_run(start).await.map_err(|error| self.state().refused(error))
            }
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            self.state().run = None;
            return Err(error);
        }
        Ok(Warning { warnings: warnings.into_iter().collect() })
    }

    /// Ends what is being sent and waits until everything is counted.
    pub(super) async fn end_transmission(&self) -> Outcome<()> {
        let Some(run) = self.state().running().map(|run| run.number) else { return Ok(()) };
        let stopped = self.engine.order(Command::Stop { run }).await;
        // It may have come to its end meanwhile.
        if self.state().running().is_some() {
            stopped?;
            self.wait(|state| state.running().is_none()).await?;
        }
        Ok(())
    }

    /// Stops some flows, and the transmission with the last of them.
    async fn stop(&self, flows: &[usize]) -> Outcome<()> {
        let others = self.state().running().is_some_and(|run| {
            let left = |flow: &usize| {
                matches!(run.flows[*flow].order, Order::Send | Order::Pause)
                    && !flows.contains(flow)
            };
            (0..run.flows.len()).any(|flow| left(&flow))
        });
        if !others {
            return self.end_transmission().await;
        }
        self.pause(flows, Order::Stop).await
    }

    /// Lets flows that are sent rest; `order` says whether for good.
    async fn pause(&self, flows: &[usize], order: Order) -> Outcome<()> {
        let Some((run, names)) = self.in_order(flows, &[Order::Send]) else {
            self.mark(flows, &[Order::Pause], order);
            return Ok(());
        };
        self.engine.order(Command::Pause { run, flows: names }).await?;
        self.mark(flows, &[Order::Send, Order::Pause], order);
        Ok(())
    }

    async fn resume(&self, flows: &[usize]) -> Outcome<()> {
        self.order_resume(flows, &[Order::Pause]).await
    }

    async fn order_resume(&self, flows: &[usize], from: &[Order]) -> Outcome<()> {
        if let Some((run, names)) = self.in_order(flows, from) {
            self.engine.order(Command::Resume { run, flows: names }).await?;
            self.mark(flows, from, Order::Send);
        }
        Ok(())
    }

    /// The transmission, and which of the flows are in one of these orders; `None`: none is.
    fn in_order(&self, flows: &[usize], orders: &[Order]) -> Option<(u64, Vec<String>)> {
        let state = self.state();
        let run = state.running()?;
        let names: Vec<_> = flows
            .iter()
            .filter(|&&flow| orders.contains(&run.flows[flow].order))
            .map(|&flow| state.plan.flows[flow].name.clone())
            .collect();
        (!names.is_empty()).then_some((run.number, names))
    }

    fn mark(&self, flows: &[usize], from: &[Order], to: Order) {
        if let Some(run) = self.state().running_mut() {
            for &flow in flows {
                if from.contains(&run.flows[flow].order) {
                    run.flows[flow].order = to;
                }
            }
        }
    }
}
