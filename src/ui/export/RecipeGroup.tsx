import { useMemo } from 'react'
import { reportError } from '../../core/errors'
import { recipeFor } from '../../experiment/recipe/recipe'
import { methodLabel } from '../../figures/describe'
import { exportName, measuredOn } from '../../store/export-content'
import { mxChoices } from '../../store/mx-choices'
import { layerTitle } from '../../store/selectors'
import type { SetupSlice } from '../../store/state'
import { useApp } from '../use-app'
import { ExportLine } from './ExportLine'
import styles from './export.module.css'
import { textBlob, utf8Length } from './save-file'
import type { MethodChoiceState } from './use-method-choice'

/** The recipe of a chosen method, or why there is none. */
function recipeOf({ methods, setting, ...setup }: SetupSlice, id: string | null, layer: string, adapter: string) {
  const method = methods.find((each) => each.id === id)
  if (!method) return { recipe: null, obstacle: 'No method has a result yet.' }
  try {
    const measured = { seed: setup.seed, adapter }
    const choices = mxChoices({ methods, setting, ...setup })
    return { recipe: recipeFor({ method, setting, choices, layer, measured }), obstacle: null }
  } catch (error) {
    const { code, message } = reportError(error)
    return { recipe: null, obstacle: `${code} ${message}` }
  }
}

/** The finding as a recipe for a whole model. */
export function RecipeGroup({ choice: { method } }: { readonly choice: MethodChoiceState }) {
  const setup = useApp((state) => state.setup)
  const layer = useApp((state, vocabulary) => layerTitle(state, vocabulary)?.weight ?? 'a layer')
  const adapter = useApp(measuredOn)
  const { recipe, obstacle } = useMemo(() => recipeOf(setup, method, layer, adapter), [setup, method, layer, adapter])
  const nearest = recipe?.nearest ?? null
  const label = methodLabel(method ?? '')
  const named = nearest === null ? [method ?? ''] : ['nearest', nearest]
  const name = useApp((state, vocabulary) => exportName(state, vocabulary, [...named, 'recipe'], 'yaml'))
  if (recipe === null) return <p className={styles.obstacle}>{obstacle}</p>
  const { yaml, python, deviations, needsRows } = recipe
  return (
    <>
      <p className={styles.small} data-test="export-nearest">
        {nearest === null
          ? `${label} in LLM Compressor. It does not reproduce:`
          : `${nearest === 'rtn' ? 'Plain rounding (RTN)' : methodLabel(nearest)}, not ${label}: the nearest that LLM Compressor has. It does not reproduce:`}
      </p>
      <ul className={styles.warnings} data-test="export-deviations">
        {deviations.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      <ExportLine
        hook="recipe"
        name={name}
        size={utf8Length(yaml)}
        contains="Modifiers for every Linear layer but lm_head, with the list above as comments."
        without={`weights${needsRows ? ', calibration data' : ''}.`}
        make={() => textBlob(yaml, 'application/yaml')}
      />
      <ExportLine
        hook="python"
        name={name.replace(/-recipe\.yaml$/, '-quantize.py')}
        size={utf8Length(python)}
        contains={`A script that runs the recipe on a model, ${needsRows ? 'with calibration data you name' : 'without calibration data'}.`}
        without={`the model${needsRows ? ', the data' : ''}; it was not run here.`}
        make={() => textBlob(python, 'text/x-python')}
      />
      <details className={styles.small}>
        <summary>Show the recipe</summary>
        <pre className={styles.preview} data-test="export-recipe-preview">
          {yaml}
        </pre>
      </details>
    </>
  )
}
