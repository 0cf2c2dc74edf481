mod checks;
mod queries;
mod requests;
mod unit_tests;
mod world;
