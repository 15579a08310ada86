// How a log line is printed: to a file as it is, to a terminal without what would move its cursor.
import type { WireItem } from '#api/wire.ts'

/** Colours (ECMA-48 SGR) go, other control characters are shown as blanks; line breaks and tabs stay. */
export function logText(text: string, isTerminal: boolean): string {
	if (!isTerminal) return text
	return text
		.replaceAll(/\u001b\[[0-9;:]*m/g, '')
		.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, ' ')
}

/** As `kubectl logs --prefix` has it: `pod/checkout-abc/web`. */
export const placeOf = ({ log }: WireItem): string => (log?.pod ? `pod/${log.pod}/${log.container}` : (log?.component ?? ''))
