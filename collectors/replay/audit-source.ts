// audit.jsonl of a recording: each line through the same parser as the live audit log.
import { parseAuditLine, rejectLine } from '#collectors/audit/parse.ts'
import type { FileOptions, LineReader } from './source.ts'

export function createAuditReader(options: FileOptions): LineReader {
	return {
		line(line, lastAt) {
			const context = {
				cluster: options.cluster,
				source: 'replay',
				observedAt: lastAt,
				after: lastAt,
				asOccurred: true,
				where: `${options.name}:${line.number}`,
			}
			const record = line.tooLong ? rejectLine(line.tooLong, context, 'the line is too long') : parseAuditLine(line.bytes, context)
			return { at: record.kind === 'audit' ? record.occurredAt : undefined, records: [record] }
		},
		end: () => [],
	}
}
