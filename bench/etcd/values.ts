// What the etcd benches write: 500 ConfigMaps over and over, of so many bytes each.
export const valueBytes = 1500

export const keyOf = (index: number): string => `/registry/configmaps/bench/c${index % 500}`

export function valueOf(index: number): string {
	const fixed = {
		apiVersion: 'v1',
		kind: 'ConfigMap',
		metadata: { name: `c${index % 500}`, namespace: 'bench' },
		data: { at: String(index), fill: '' },
	}
	fixed.data.fill = 'x'.repeat(Math.max(0, valueBytes - JSON.stringify(fixed).length))
	return JSON.stringify(fixed)
}
