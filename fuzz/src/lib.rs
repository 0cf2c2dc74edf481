//! What do our parsers do with bytes that nobody in their right mind would send?
//!
//! Each file in `targets/` is one entry of bytes from outside. Checksums keep damage away from the
//! code behind them, which is the code to be tested: [`checksums`] makes them right again.

pub mod checksums;
pub mod folder;
