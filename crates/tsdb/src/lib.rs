//! Where recent samples live, and how they survive.
