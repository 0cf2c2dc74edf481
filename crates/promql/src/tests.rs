//! Upstream's scripts and tables, and what they do not cover.

mod engine;
mod histograms;
mod moments;
mod plans;
mod runner;
mod scripts;
mod subject;
mod tables;
