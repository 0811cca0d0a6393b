import { SegmentedControl } from '@mantine/core'
import { useActions, useApp } from '../use-app'
import { Glossary } from './Glossary'
import { LayerPart } from './LayerPart'
import styles from './rotation.module.css'
import { StudyPart } from './StudyPart'

/** When a rotation hurts and why: on the layer that is loaded, and on a synthetic layer over the strength of its outliers. */
export function RotationView() {
  const part = useApp((state) => state.rotation.controls.part)
  const { setRotation } = useActions()
  return (
    <div className={styles.view} data-test="panel-rotation">
      <div className={styles.head}>
        <h2>Why does rotation hurt?</h2>
        <SegmentedControl
          size="xs"
          aria-label="What is looked at"
          value={part}
          onChange={(value) => setRotation({ part: value === 'synthetic' ? 'synthetic' : 'layer' })}
          data={[
            { value: 'layer', label: <span data-test="rotation-layer">This layer</span> },
            { value: 'synthetic', label: <span data-test="rotation-synthetic">Synthetic layer</span> },
          ]}
        />
      </div>
      <Glossary />
      {part === 'layer' ? <LayerPart /> : <StudyPart />}
    </div>
  )
}
