import { FormatFields } from './FormatFields'
import { MxFields } from './MxFields'
import { PreScaleFields } from './PreScaleFields'
import { Presets } from './Presets'
import { RailSection } from './RailSection'

/** SETTING: what the tensors of the product are rounded to. */
export function SettingSection() {
  return (
    <RailSection id="setting" title="Setting">
      <Presets />
      <FormatFields />
      <MxFields />
      <PreScaleFields />
    </RailSection>
  )
}
