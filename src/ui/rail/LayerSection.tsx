import { NativeSelect } from '@mantine/core'
import { Field } from '../Field'
import { useActions, useApp, useVocabulary } from '../use-app'
import { DropZone } from './DropZone'
import styles from './LayerSection.module.css'
import { OpenFiles } from './OpenFiles'
import { TensorList } from './TensorList'

const OWN = 'user'

/** LAYER: where the weight comes from. */
export function LayerSection() {
  return (
    <section aria-labelledby="layer-heading">
      <h2 id="layer-heading">Layer</h2>
      <DropZone />
      <BuiltInMenu />
      <OpenFiles />
      <TensorList />
    </section>
  )
}

function BuiltInMenu() {
  const { builtIns } = useVocabulary()
  const { openBuiltIn, showOwnFiles } = useActions()
  const active = useApp((state) => state.source.active)
  const hasOwn = useApp((state) => state.source.files.some(({ builtIn }) => builtIn === null))
  const chosen = builtIns.find(({ id }) => id === active)
  return (
    <>
      <Field
        label="Built-in layer"
        help="Layers that ship with the page, to see a result before opening a file of your own."
      >
        {(ids) => (
          <NativeSelect
            {...ids}
            size="xs"
            data-test="built-in"
            value={active ?? ''}
            onChange={({ currentTarget: { value } }) => (value === OWN ? showOwnFiles() : void openBuiltIn(value))}
          >
            {active === null && <option value="">none</option>}
            {builtIns.map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
            {hasOwn && <option value={OWN}>my files</option>}
          </NativeSelect>
        )}
      </Field>
      {chosen && (
        <>
          <p className={styles.explains}>{chosen.explains}</p>
          <details className={styles.details}>
            <summary>Where it comes from</summary>
            {chosen.provenance}
          </details>
        </>
      )}
    </>
  )
}
