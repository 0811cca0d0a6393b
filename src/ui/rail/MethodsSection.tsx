import { NativeSelect } from '@mantine/core'
import { useState } from 'react'
import { METHOD_PRESETS, presetOf } from '../../store/method-presets'
import { Announcement } from '../Announcement'
import { Field } from '../Field'
import { useActions, useApp, useVocabulary } from '../use-app'
import { MethodChip } from './MethodChip'
import { MethodPicker } from './MethodPicker'
import styles from './MethodsSection.module.css'
import { RailSection } from './RailSection'
import { useChipDrag } from './use-chip-drag'

/** METHODS: what is compared. */
export function MethodsSection() {
  return (
    <RailSection id="methods" title="Methods">
      <PresetField />
      <Chips />
    </RailSection>
  )
}

/** The chosen methods in their order, which a drag or Alt and an arrow key changes. */
function Chips() {
  const { methods } = useVocabulary()
  const chosen = useApp((state) => state.setup.methods.map(({ id }) => id))
  const { moveMethod } = useActions()
  const [said, say] = useState('')
  const place = (id: string, to: number) => {
    const at = Math.max(0, Math.min(chosen.length - 1, to))
    const label = methods.find((entry) => entry.id === id)?.label
    if (at !== chosen.indexOf(id)) moveMethod(id, at)
    say(`${label} is ${at + 1} of ${chosen.length}.`)
  }
  const { drag, list } = useChipDrag(place)
  const drop = (at: number) =>
    drag?.before === at ? 'before' : at === chosen.length - 1 && drag?.before === chosen.length ? 'after' : undefined
  return (
    <div className={styles.chips} data-dragging={drag !== null} {...list}>
      {chosen.map((id, at) => {
        const entry = methods.find((each) => each.id === id)
        return entry && <MethodChip key={id} entry={entry} drop={drop(at)} onStep={(step) => place(id, at + step)} />
      })}
      <MethodPicker />
      <Announcement text={said} hook="method-moved" />
    </div>
  )
}

/** Stands for a choice that is no preset; choosing it changes nothing. */
const OWN_CHOICE = ''

function PresetField() {
  const preset = useApp((state) => presetOf(state.setup.methods)?.id ?? OWN_CHOICE)
  const { setMethods } = useActions()
  const choose = (id: string) => {
    const chosen = METHOD_PRESETS.find((each) => each.id === id)
    if (chosen) setMethods(chosen.methods)
  }
  return (
    <Field
      label="Preset"
      help="A named choice of methods; options stay as they are. All of the paper: the methods of table 1 of arXiv 2601.09555."
      topics={['method-preset', 'method-grid', 'rtn']}
      onReset={() => choose(METHOD_PRESETS[0].id)}
    >
      {(ids) => (
        <NativeSelect
          {...ids}
          size="xs"
          data-test="method-preset"
          value={preset}
          onChange={({ currentTarget }) => choose(currentTarget.value)}
          data={[
            ...(preset === OWN_CHOICE ? [{ value: OWN_CHOICE, label: 'Own choice' }] : []),
            ...METHOD_PRESETS.map(({ id, label }) => ({ value: id, label })),
          ]}
        />
      )}
    </Field>
  )
}
