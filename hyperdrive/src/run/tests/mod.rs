//! Whole studies on the simulator.

mod ahead;
mod closing;
mod grow;
mod kill;
mod limits;
mod ordered;
mod trouble;
mod world;
