//! PATCH /config: what of flows can change without a new configuration.

use super::{
    model::{self, FlowProperty, Update, Warning},
    refusal::At,
    server::{Otg, Outcome, without_nulls},
};
use crate::serve::engine::Command;
use serde_json::Value;

impl Otg {
    /// PATCH /config: rates and sizes of flows.
    pub(super) async fn update_config(&self, body: &[u8]) -> Outcome<Warning> {
        let _order = self.orders.lock().await;
        // Checked as a whole, and then taken over as it is written.
        let update: Update = model::read(body)?;
        let written: Value = model::read(body)?;
        let root = At::root("flows");
        let flows = update.flows.ok_or_else(|| root.refuse("`flows` is missing"))?;
        let mut document = self.config();
        let at = root.key("flows");
        let mut indices = Vec::with_capacity(flows.flows.len());
        let resized = flows.property_names.contains(&FlowProperty::Size);
        if resized && self.state().sends() {
            let at = at.index(0);
            return Err(at
                .key("size")
                .refuse("sizes do not change while flows are sent; stop all flows, change them, and start again")
                .into());
        }
        for (place, flow) in flows.flows.iter().enumerate() {
            let at = at.index(place);
            let list = document["flows"].as_array_mut();
            let found = list.and_then(|list| list.iter().position(|old| old["name"] == *flow.name));
            let index = found.ok_or_else(|| {
                at.key("name").refuse(format!("there is no flow \"{}\"", flow.name))
            })?;
            for property in &flows.property_names {
                let key = match property {
                    FlowProperty::Rate => "rate",
                    FlowProperty::Size => "size",
                };
                let new = written["flows"]["flows"][place][key].clone();
                document["flows"][index][key] = new;
            }
            indices.push(index);
        }
        let document = without_nulls(document);
        let plan = self.plan(&document).await?;
        if resized {
            // All is sent; what is still under way has the old size.
            self.end_transmission().await?;
        }
        let running = self.state().running().map(|run| run.number);
        if let (Some(run), true) = (running, flows.property_names.contains(&FlowProperty::Rate)) {
            for index in indices {
                let flow = &plan.flows[index];
                let (name, rate) = (flow.name.clone(), flow.rate.to_string());
                self.engine.order(Command::SetRate { run, flow: name, rate }).await?;
            }
        }
        let warnings = plan.warnings.clone();
        let mut state = self.state();
        (state.document, state.plan) = (document, plan);
        Ok(Warning { warnings })
    }
}
