// What of a Pod its log lines are told by: node, image of each container, and the name that the kubelet has for a static pod.
import type { PodFacts } from '#records/indexed.ts'

type Fields = Readonly<Record<string, unknown>>

/** The kubelet names the log folder of a static pod by the hash of its source (pkg/kubelet/types/constants.go, ConfigHashAnnotationKey); the API server knows its mirror Pod by another uid. */
const configHashAnnotation = 'kubernetes.io/config.hash'
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** `body` is a Pod; whatever it lacks is empty. */
export function podFactsOf(body: Fields): PodFacts {
	const spec = fields(body['spec'])
	const images: Record<string, string> = {}
	for (const list of ['initContainers', 'containers', 'ephemeralContainers']) {
		const containers = spec[list]
		if (!Array.isArray(containers)) continue
		for (const container of containers.map(fields)) {
			const name = textOf(container['name'])
			const image = textOf(container['image'])
			if (name !== '' && image !== '') Object.defineProperty(images, name, { value: image, enumerable: true, configurable: true })
		}
	}
	const annotations = fields(fields(body['metadata'])['annotations'])
	return { node: textOf(spec['nodeName']), images, configHash: textOf(annotations[configHashAnnotation]) }
}
