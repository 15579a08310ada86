// Writes protobuf by hand: fields, and the envelope around an object.

function number(value: number | bigint): Buffer {
	const bytes: number[] = []
	let rest = BigInt.asUintN(64, BigInt(value))
	for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
	bytes.push(Number(rest))
	return Buffer.from(bytes)
}

export function varint(field: number, value: number | bigint): Buffer {
	return Buffer.concat([number(field * 8), number(value)])
}

export function message(field: number, ...content: readonly Buffer[]): Buffer {
	const body = Buffer.concat(content)
	return Buffer.concat([number(field * 8 + 2), number(body.length), body])
}

export function text(field: number, value: string): Buffer {
	return message(field, Buffer.from(value))
}

/** As the API server stores it: `k8s\0`, then runtime.Unknown. */
export function stored(apiVersion: string, kind: string, ...fields: readonly Buffer[]): Buffer {
	return Buffer.concat([
		Buffer.from('k8s\0'),
		message(1, text(1, apiVersion), text(2, kind)),
		message(2, ...fields),
		message(3),
		message(4),
	])
}
