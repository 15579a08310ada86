// CustomResourceDefinitions are stored as v1beta1 and served as v1: the same conversion as the API server's (apiextensions-apiserver pkg/apis/apiextensions/v1beta1/conversion.go and v1/conversion.go).

type Fields = Record<string, unknown>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {})
const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? (value as Fields[]) : [])

/** In v1 the schema, subresources, columns and selectable fields stand at each version, and the conversion webhook is one object. */
export function customResourceDefinitionV1(stored: Readonly<Fields>): Fields {
	const spec = fields(stored['spec'])
	const {
		version,
		versions,
		validation,
		subresources,
		additionalPrinterColumns,
		selectableFields,
		conversion,
		preserveUnknownFields,
		...rest
	} = spec
	const named = typeof version === 'string' && version !== '' ? [{ name: version, served: true, storage: true }] : []
	const listed = list(versions).length > 0 ? list(versions) : named
	const converted: Fields = { ...rest }
	const common = { validation, subresources, additionalPrinterColumns, selectableFields }
	converted['versions'] = listed.length === 0 ? null : listed.map((entry) => versionV1(entry, common))
	if (conversion !== undefined) converted['conversion'] = conversionV1(fields(conversion))
	if (preserveUnknownFields === true) converted['preserveUnknownFields'] = true
	return { ...stored, apiVersion: 'apiextensions.k8s.io/v1', spec: converted }
}

/** What stands at the top holds for every version, whatever stands there. */
function versionV1(entry: Fields, common: Fields): Fields {
	const of = (name: string): unknown => common[name] ?? entry[name]
	const { additionalPrinterColumns: _columns, schema, subresources: _subresources, selectableFields: _selectable, ...rest } = entry
	const columns = of('additionalPrinterColumns')
	const parts = {
		schema: common['validation'] ?? schema,
		subresources: of('subresources'),
		additionalPrinterColumns: Array.isArray(columns) ? columns.map(columnV1) : undefined,
		selectableFields: of('selectableFields'),
	}
	return { ...rest, ...Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined)) }
}

/** JSONPath in v1beta1, jsonPath in v1. */
function columnV1(column: Fields): Fields {
	return Object.fromEntries(Object.entries(column).map(([key, value]) => [key === 'JSONPath' ? 'jsonPath' : key, value]))
}

function conversionV1(conversion: Fields): Fields {
	const { webhookClientConfig, conversionReviewVersions, ...rest } = conversion
	if (webhookClientConfig === undefined && conversionReviewVersions === undefined) return rest
	return {
		...rest,
		webhook: {
			...(webhookClientConfig === undefined ? {} : { clientConfig: webhookClientConfig }),
			conversionReviewVersions: conversionReviewVersions ?? null,
		},
	}
}
