import { NativeSelect } from '@mantine/core'
import { visibleFiles } from '../../store/selection'
import { Field } from '../Field'
import { useActions, useApp, useVocabulary } from '../use-app'
import { DropZone } from './DropZone'
import styles from './LayerSection.module.css'
import { OpenFiles } from './OpenFiles'
import { RailSection } from './RailSection'
import { SliceField } from './SliceField'
import { TensorList } from './TensorList'

/** LAYER: where the weight comes from. */
export function LayerSection() {
  return (
    <RailSection id="layer" title="Layer" always={<DropZone />}>
      <LayerMenu />
      <OpenFiles />
      <RoomForList />
      <TensorList />
      <SliceField />
    </RailSection>
  )
}

/** As much as the built-in layer's lines will take, until they are there: nothing below moves. */
function RoomForList() {
  const comes = useApp(
    ({ source }) =>
      source.active === null && source.pendingLink === null && (source.restoring || source.reading.length > 0),
  )
  return comes ? <div className={styles.room} /> : null
}

/** What is on screen: a layer that ships with the page, or one of the user's open files. */
function LayerMenu() {
  const { builtIns } = useVocabulary()
  const { openBuiltIn, showOwnFile } = useActions()
  const active = useApp((state) => state.source.active)
  const weight = useApp((state) => state.source.weight)
  const own = useApp((state) => visibleFiles({ files: state.source.files, active: 'user' }))
  const chosen = builtIns.find(({ id }) => id === active)
  const value = active === 'user' ? (weight?.fileId ?? '') : (active ?? '')
  const choose = (id: string) => {
    if (builtIns.some((layer) => layer.id === id)) void openBuiltIn(id)
    else if (id !== '') showOwnFile(id)
  }
  return (
    <>
      <Field label="Layer" help="Layers that ship with the page, to see a result at once, and the files you opened.">
        {(ids) => (
          <NativeSelect
            {...ids}
            size="xs"
            data-test="built-in"
            value={value}
            onChange={({ currentTarget }) => choose(currentTarget.value)}
          >
            {value === '' && <option value="">none</option>}
            <optgroup label="Built-in layers">
              {builtIns.map(({ id, label }) => (
                <option key={id} value={id}>
                  {label}
                </option>
              ))}
            </optgroup>
            {own.length > 0 && (
              <optgroup label="My files">
                {own.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </optgroup>
            )}
          </NativeSelect>
        )}
      </Field>
      {chosen && (
        <details className={styles.details}>
          <summary>About this layer</summary>
          <p>{chosen.explains}</p>
          <p>{chosen.provenance}</p>
        </details>
      )}
    </>
  )
}
