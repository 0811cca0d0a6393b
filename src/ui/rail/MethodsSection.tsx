import { NativeSelect } from '@mantine/core'
import { METHOD_PRESETS, presetOf } from '../../store/method-presets'
import { Field } from '../Field'
import { useActions, useApp, useVocabulary } from '../use-app'
import { MethodChip } from './MethodChip'
import { MethodPicker } from './MethodPicker'
import styles from './MethodsSection.module.css'
import { RailSection } from './RailSection'

/** METHODS: what is compared. */
export function MethodsSection() {
  const { methods } = useVocabulary()
  const chosen = useApp((state) => state.setup.methods.map(({ id }) => id))
  return (
    <RailSection id="methods" title="Methods">
      <PresetField />
      <div className={styles.chips}>
        {methods
          .filter(({ id }) => chosen.includes(id))
          .map((entry) => (
            <MethodChip key={entry.id} entry={entry} />
          ))}
        <MethodPicker />
      </div>
    </RailSection>
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
