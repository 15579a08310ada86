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
	const listed = list(versions).length > 0 ? list(versions) : [{ name: version, served: true, storage: true }]
	const converted: Fields = { ...rest }
	converted['versions'] = listed.map((entry) => versionV1(entry, { validation, subresources, additionalPrinterColumns, selectableFields }))
	if (conversion !== undefined) converted['conversion'] = conversionV1(fields(conversion))
	if (preserveUnknownFields === true) converted['preserveUnknownFields'] = true
	return { ...stored, apiVersion: 'apiextensions.k8s.io/v1', spec: converted }
}

function versionV1(entry: Fields, common: Fields): Fields {
	const {
		additionalPrinterColumns = common['additionalPrinterColumns'],
		schema = common['validation'],
		subresources = common['subresources'],
		selectableFields = common['selectableFields'],
		...rest
	} = entry
	return {
		...rest,
		...(schema === undefined ? {} : { schema }),
		...(subresources === undefined ? {} : { subresources }),
		...(Array.isArray(additionalPrinterColumns) ? { additionalPrinterColumns: additionalPrinterColumns.map(columnV1) } : {}),
		...(selectableFields === undefined ? {} : { selectableFields }),
	}
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
			...(conversionReviewVersions === undefined ? {} : { conversionReviewVersions }),
		},
	}
}
