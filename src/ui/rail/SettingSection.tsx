import { FormatFields } from './FormatFields'
import { MxFields } from './MxFields'
import { PreScaleFields } from './PreScaleFields'
import { Presets } from './Presets'

/** SETTING: what the tensors of the product are rounded to. */
export function SettingSection() {
  return (
    <section aria-labelledby="setting-heading">
      <h2 id="setting-heading">Setting</h2>
      <Presets />
      <FormatFields />
      <MxFields />
      <PreScaleFields />
    </section>
  )
}
