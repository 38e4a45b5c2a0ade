//! The file that `gw502-lint init` writes.

/// All keys, commented out: the file changes nothing until somebody takes a `#` away. A line with a blank behind the `#`
/// is an explanation, one without is an example.
pub const TEMPLATE: &str = "\
# Configuration of gw502-lint. Everything here is commented out and changes nothing.
# What each key means: https://github.com/gw502/gw502-lint/blob/main/docs/configuration.md
# For editors: gw502-lint config schema > gw502.schema.json

# What becomes of the findings of a rule, or of a family of rules: off, note, warning or error.
# Options of a rule stand beside its level. All rules: gw502-lint rules
#rules:
#  GW3: note
#  GW305: off
#  GW201:
#    level: error
#    min: 30s

# Other rules for some paths. Patterns count from the folder of this file.
#overrides:
#  - paths: [staging/**, \"*.test.conf\"]
#    rules:
#      GW201: off

# What is not linted.
#exclude:
#  - legacy/**

# The versions that run the configuration.
#targets:
#  nginx: \"1.24\"
#  haproxy: \"2.8\"

# What is known of the backends behind host names.
#services:
#  app.internal:
#    ports: [8080]
#    idle_timeout: 5s

# Findings to live with. In the configuration itself: # gw502: ignore GW201 -- reason
#ignore:
#  - rule: GW201
#    path: conf/reports/**
#    reason: these answers come at once or not at all

# Findings that were there before: gw502-lint --write-baseline .gw502-baseline.json
#baseline: .gw502-baseline.json
";
