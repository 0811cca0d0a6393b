import { NativeSelect, SegmentedControl, Switch } from '@mantine/core'
import { hasFourBitOperand } from '../../experiment/setting-text'
import { bitsPerElement, ROUNDINGS, SCALE_RULES } from '../../formats/number-format'
import { isRounding, isScaleRule, MAX_SEED, ROUNDING_TEXT, SCALE_RULE_TEXT } from '../../store/vocabulary'
import { Field } from '../Field'
import { NumberField } from '../NumberField'
import { useActions, useApp, useVocabulary } from '../use-app'
import rail from './Rail.module.css'

const CUSTOM = 'custom'
const AS_LOADED = ''

/** SETTING: what both operands are rounded to. */
export function SettingSection() {
  const seed = useApp((state) => state.setup.seed)
  const { setSeed } = useActions()
  return (
    <section aria-labelledby="setting-heading">
      <h2 id="setting-heading">Setting</h2>
      <Presets />
      <FormatSelect side="weight" />
      <FormatSelect side="activation" />
      <Rules />
      <div className={rail.row}>
        <PreScale />
        <NumberField
          half
          label="Seed"
          help="Seed of every random choice: rotation signs, starting matrices, synthetic activations."
          value={seed}
          min={0}
          max={MAX_SEED}
          hook="setting-seed"
          onChange={(value) => value !== null && setSeed(value)}
        />
      </div>
    </section>
  )
}

function Presets() {
  const { settings } = useVocabulary()
  const chosen = useApp((state) => state.setup.setting)
  const { setSetting } = useActions()
  const isPreset = settings.some(({ id }) => id === chosen.id)
  const segments = settings.map(({ id }) => ({
    value: id,
    label: <span data-test={`setting-${id.toLowerCase()}`}>{id}</span>,
  }))
  const custom = { value: CUSTOM, label: <span data-test="setting-custom">Custom</span> }
  return (
    <SegmentedControl
      fullWidth
      size="xs"
      aria-label="Setting: bits of weights and activations"
      value={isPreset ? chosen.id : CUSTOM}
      onChange={(value) => {
        const preset = settings.find(({ id }) => id === value)
        if (preset) setSetting(preset)
      }}
      data={isPreset ? segments : [...segments, custom]}
    />
  )
}

const SIDES = {
  weight: { label: 'Weights W', help: 'Number format of the weights W. 16 bits leaves them as loaded.' },
  activation: { label: 'Activations X', help: 'Number format of the activations X. 16 bits leaves them as loaded.' },
} as const

function FormatSelect({ side }: { readonly side: keyof typeof SIDES }) {
  const { formats } = useVocabulary()
  const setting = useApp((state) => state.setup.setting)
  const { setFormats } = useActions()
  const value = (side === 'weight' ? setting.weightFormat : setting.activationFormat) ?? AS_LOADED
  const choose = (id: string) => {
    const format = id === AS_LOADED ? null : id
    if (side === 'weight') setFormats(format, setting.activationFormat)
    else setFormats(setting.weightFormat, format)
  }
  return (
    <Field label={SIDES[side].label} help={SIDES[side].help}>
      {(ids) => (
        <NativeSelect
          {...ids}
          size="xs"
          data-test={`setting-${side}-format`}
          value={value}
          onChange={({ currentTarget }) => choose(currentTarget.value)}
        >
          {formats.map((format) => (
            <option key={format.id} value={format.id}>
              {format.label} · {bitsPerElement(format)} bit/element
            </option>
          ))}
          <option value={AS_LOADED}>as loaded</option>
        </NativeSelect>
      )}
    </Field>
  )
}

function Rules() {
  const { scaleRule, rounding } = useApp((state) => state.setup)
  const { setScaleRule, setRounding } = useActions()
  return (
    <>
      <Field label="Scale rule" help={SCALE_RULE_TEXT[scaleRule].help}>
        {(ids) => (
          <NativeSelect
            {...ids}
            size="xs"
            data-test="setting-scale-rule"
            value={scaleRule}
            onChange={({ currentTarget: { value } }) => isScaleRule(value) && setScaleRule(value)}
            data={SCALE_RULES.map((value) => ({ value, label: SCALE_RULE_TEXT[value].label }))}
          />
        )}
      </Field>
      <Field
        label="Rounding"
        help="To the nearest code, a value halfway to the even one or away from zero (microxcaling); or always toward zero."
      >
        {(ids) => (
          <NativeSelect
            {...ids}
            size="xs"
            data-test="setting-ties"
            value={rounding}
            onChange={({ currentTarget: { value } }) => isRounding(value) && setRounding(value)}
            data={ROUNDINGS.map((value) => ({ value, label: ROUNDING_TEXT[value] }))}
          />
        )}
      </Field>
    </>
  )
}

/** The pre-scale reaches 4-bit operands only; without one the switch would change nothing. */
function PreScale() {
  const { preScale, setting } = useApp((state) => state.setup)
  const { setPreScale } = useActions()
  const hasFourBits = hasFourBitOperand(setting)
  const help =
    'Shrinks elements of 4-bit operands by 3/4 before rounding and undoes it after; the exponent stays. On because the W4A4 tables of arXiv 2601.09555 use it; often, and on the built-in layer, it raises the error of RTN.'
  return (
    <Field half label="Pre-scale 3/4" help={hasFourBits ? help : `${help} There is no 4-bit operand now.`}>
      {(ids) => (
        <Switch
          {...ids}
          size="sm"
          data-test="setting-pre-scale"
          checked={preScale}
          disabled={!hasFourBits}
          onChange={({ currentTarget }) => setPreScale(currentTarget.checked)}
        />
      )}
    </Field>
  )
}
