import { NativeSelect, Slider, Switch } from '@mantine/core'
import { useState } from 'react'
import { PRE_SCALE_MAX, PRE_SCALE_MIN, PRE_SCALE_VARIANTS } from '../../formats/number-format'
import { mxObstacle, preScaleObstacle } from '../../store/reach'
import { DEFAULT_PRE_SCALE } from '../../store/vocabulary'
import { Field } from '../Field'
import { NumberField } from '../NumberField'
import { useActions, useApp } from '../use-app'
import rail from './Rail.module.css'
import styles from './SettingSection.module.css'

const STEP = 0.01
const MARKS = [
  { value: PRE_SCALE_MIN, label: '0.50' },
  { value: DEFAULT_PRE_SCALE.factor, label: '3/4' },
  { value: PRE_SCALE_MAX, label: '1.00' },
]

const HELP =
  'Shrinks elements of 4-bit MX operands before rounding and undoes it after. On because the W4A4 tables of arXiv 2601.09555 use it; often, and on the built-in layer, it raises the error of RTN.'
const VARIANT_HELP =
  'exact: the exponent comes from the block before shrinking. literal: the tensor is shrunk first, as the caption of table 6 says, so exponents change too.'

/** The pre-scale of 4-bit MX operands; where it reaches none it is disabled, and the reason is said. */
export function PreScaleFields() {
  const { on, variant } = useApp((state) => state.setup.preScale)
  const obstacle = useApp(({ setup }) => preScaleObstacle(setup.setting, setup.scaleRule))
  const said = useApp(({ setup }) => mxObstacle(setup.setting) !== null)
  const { setPreScale } = useActions()
  const disabled = obstacle !== null
  const why = disabled ? ` ${obstacle}` : ''
  return (
    <>
      <div className={rail.row}>
        <Field half label="Pre-scale" help={HELP + why} onReset={() => setPreScale(DEFAULT_PRE_SCALE)}>
          {(ids) => (
            <Switch
              {...ids}
              size="sm"
              data-test="setting-pre-scale"
              checked={on}
              disabled={disabled}
              onChange={({ currentTarget }) => setPreScale({ on: currentTarget.checked })}
            />
          )}
        </Field>
        <Field
          half
          label="Variant"
          help={VARIANT_HELP + why}
          onReset={() => setPreScale({ variant: DEFAULT_PRE_SCALE.variant })}
        >
          {(ids) => (
            <NativeSelect
              {...ids}
              size="xs"
              data-test="setting-pre-scale-variant"
              disabled={disabled || !on}
              value={variant}
              onChange={({ currentTarget: { value } }) => {
                const chosen = PRE_SCALE_VARIANTS.find((each) => each === value)
                if (chosen) setPreScale({ variant: chosen })
              }}
              data={[...PRE_SCALE_VARIANTS]}
            />
          )}
        </Field>
      </div>
      <Factor disabled={disabled || !on} why={why} />
      {disabled && (
        <p className={styles.reason} data-test="reason-pre-scale">
          {said ? 'The pre-scale changes nothing either.' : `${obstacle} The pre-scale changes nothing.`}
        </p>
      )}
    </>
  )
}

/** While the slider is dragged only its own number moves; the choice is made where it is let go. */
function Factor({ disabled, why }: { readonly disabled: boolean; readonly why: string }) {
  const factor = useApp((state) => state.setup.preScale.factor)
  const { setPreScale } = useActions()
  const [dragged, setDragged] = useState<number | null>(null)
  return (
    <NumberField
      label="Factor"
      help={`What elements are multiplied by before rounding, ${PRE_SCALE_MIN} … ${PRE_SCALE_MAX}; 1 changes nothing. Default 3/4.${why}`}
      topics={['pre-scale', 'pre-scale.exact', 'pre-scale.literal']}
      value={factor}
      min={PRE_SCALE_MIN}
      max={PRE_SCALE_MAX}
      integer={false}
      step={STEP}
      disabled={disabled}
      hook="setting-pre-scale-factor"
      onReset={() => setPreScale({ factor: DEFAULT_PRE_SCALE.factor })}
      onChange={(value) => value !== null && setPreScale({ factor: value })}
      beside={
        <Slider
          className={styles.slider}
          classNames={{ markLabel: styles.mark }}
          size="sm"
          data-test="setting-pre-scale-slider"
          thumbLabel="Pre-scale factor"
          disabled={disabled}
          min={PRE_SCALE_MIN}
          max={PRE_SCALE_MAX}
          step={STEP}
          marks={MARKS}
          label={(value) => value.toFixed(2)}
          value={dragged ?? factor}
          onChange={setDragged}
          onChangeEnd={(value) => {
            setDragged(null)
            setPreScale({ factor: Number(value.toFixed(2)) })
          }}
        />
      }
    />
  )
}
