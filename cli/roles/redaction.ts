// The key that redaction makes its hashes with: the configured one, or that of the data directory.
import { join } from 'node:path'
import type { Config } from '#cli/config.ts'
import { loadRedactionKey } from '#processors/redact/key.ts'

/** Throws RUNTIME_NO_PERMISSION or CONFIG_INVALID. */
export function redactionKey({ dataDir, redaction }: Config): Promise<Uint8Array> {
	return redaction ? loadRedactionKey(redaction.keyFile, true) : loadRedactionKey(join(dataDir, 'redaction.key'))
}
