import { NativeSelect } from '@mantine/core'
import { BLOCK_SIZES, ROUNDINGS, SCALE_RULES } from '../../formats/number-format'
import { STANDARD_MX } from '../../formats/quantizer'
import { mxObstacle } from '../../store/reach'
import { isRounding, isScaleRule, MAX_SEED, ROUNDING_TEXT, SCALE_RULE_TEXT } from '../../store/vocabulary'
import { Field } from '../Field'
import { NumberField } from '../NumberField'
import { useActions, useApp } from '../use-app'
import rail from './Rail.module.css'
import styles from './SettingSection.module.css'

/**
 * The choices that hold for every tensor with an MX format, disabled without one, and the reason; and the seed, which
 * shares a line with the block size.
 */
export function MxFields() {
  const { scaleRule, rounding } = useApp((state) => state.setup)
  const blockSize = useApp((state) => state.setup.blockSize)
  const obstacle = useApp((state) => mxObstacle(state.setup.setting))
  const { setScaleRule, setRounding } = useActions()
  const disabled = obstacle !== null
  const why = disabled ? ` ${obstacle}` : ''
  return (
    <>
      <Field
        label="Scale rule"
        help={SCALE_RULE_TEXT[scaleRule].help + why}
        topics={[`rule.${scaleRule}`, 'scale-rule', 'block-scale', 'block-size']}
        onReset={() => setScaleRule(STANDARD_MX.scaleRule)}
      >
        {(ids) => (
          <NativeSelect
            {...ids}
            size="xs"
            data-test="setting-scale-rule"
            disabled={disabled}
            value={scaleRule}
            onChange={({ currentTarget: { value } }) => isScaleRule(value) && setScaleRule(value)}
            data={SCALE_RULES.map((value) => ({ value, label: SCALE_RULE_TEXT[value].label }))}
          />
        )}
      </Field>
      <Field
        label="Rounding"
        help={`To the nearest code, a value halfway to the even one or away from zero (microxcaling); or always toward zero.${why}`}
        topics={[`rounding.${rounding}`, 'rounding', 'seed']}
        onReset={() => setRounding(STANDARD_MX.rounding)}
      >
        {(ids) => (
          <NativeSelect
            {...ids}
            size="xs"
            data-test="setting-ties"
            disabled={disabled}
            value={rounding}
            onChange={({ currentTarget: { value } }) => isRounding(value) && setRounding(value)}
            data={ROUNDINGS.map((value) => ({ value, label: ROUNDING_TEXT[value] }))}
          />
        )}
      </Field>
      <div className={rail.row}>
        <BlockSize />
        <Seed />
      </div>
      {blockSize !== STANDARD_MX.blockSize && !disabled && (
        <span className={styles.badge} data-test="badge-block-size">
          blocks of {blockSize}: non-standard
        </span>
      )}
      {disabled && (
        <p className={styles.reason} data-test="reason-mx">
          {obstacle} Scale rule, rounding and block size change nothing.
        </p>
      )}
    </>
  )
}

function BlockSize() {
  const blockSize = useApp((state) => state.setup.blockSize)
  const obstacle = useApp((state) => mxObstacle(state.setup.setting))
  const { setBlockSize } = useActions()
  const why = obstacle === null ? '' : ` ${obstacle}`
  return (
    <Field
      half
      label="Block size"
      help={`Elements of an MX block, which share one scale. The standard has 32; others are for study.${why}`}
      onReset={() => setBlockSize(STANDARD_MX.blockSize)}
    >
      {(ids) => (
        <NativeSelect
          {...ids}
          size="xs"
          data-test="setting-block-size"
          disabled={obstacle !== null}
          value={String(blockSize)}
          onChange={({ currentTarget: { value } }) => setBlockSize(Number(value))}
          data={BLOCK_SIZES.map(String)}
        />
      )}
    </Field>
  )
}

function Seed() {
  const seed = useApp((state) => state.setup.seed)
  const { setSeed } = useActions()
  return (
    <NumberField
      half
      label="Seed"
      help="Seed of every random choice: rotation signs, starting matrices, synthetic activations."
      value={seed}
      min={0}
      max={MAX_SEED}
      hook="setting-seed"
      onReset={() => setSeed(0)}
      onChange={(value) => value !== null && setSeed(value)}
    />
  )
}
