// Before each test file: at the gate properties have one seed, so that one commit gets one answer; by hand each run has a new one, which a failure names.
import fc from 'fast-check'

const gateSeed = 20_261_129
if (process.env['CI'] === 'true') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: gateSeed })
